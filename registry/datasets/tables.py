"""Datasets and their items as tables for export."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.catalog import Item
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.tables import Column, Table


def dataset_table(rows: Iterable[tuple[Dataset, DatasetVersion | None]]) -> Table:
    """The datasets as listed on their page."""
    columns = [
        Column(_("Dataset")),
        Column(_("From"), "day"),
        Column(_("To"), "day"),
        Column(_("Rows"), "count"),
        Column(_("Stores"), "count"),
        Column(_("Products"), "count"),
        Column(_("Version"), "count"),
    ]
    return Table(_("Datasets"), columns, [dataset_row(*row) for row in rows])


def dataset_row(dataset: Dataset, version: DatasetVersion | None) -> list[Any]:
    """The cells of one dataset; empty when it has no version."""
    if version is None:
        return [dataset.name, *[None] * 6]
    counts = [version.rows, len(version.stores), len(version.products), version.number]
    return [dataset.name, version.first, version.last, *counts]


def item_table(items: Iterable[Item]) -> Table:
    """Stores or products as listed in the catalog."""
    columns = [
        Column(_("Code")),
        Column(_("Name")),
        Column(_("Category")),
        Column(_("First sale"), "day"),
        Column(_("Last sale"), "day"),
        Column(_("Days without a sale"), "share"),
        Column(_("Units"), "units"),
    ]
    fields = ("code", "name", "category", "first", "last", "zeros", "total")
    rows = [[getattr(item, name) for name in fields] for item in items]
    total = [_("Total"), "", "", None, None, None, sum(row[-1] for row in rows)] if rows else ()
    return Table(_("Stores and products"), columns, rows, total)
