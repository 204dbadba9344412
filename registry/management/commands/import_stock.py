"""manage.py import_stock: the stock of a dataset's stores from a file."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset
from registry.datasets.stock.command import TableCommand
from registry.datasets.stock.importer import import_stock


class Command(TableCommand):
    help = "Imports stock (store, product, on hand, on order with due dates, batches) from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--as-of",
            type=date.fromisoformat,
            default=None,
            metavar="DAY",
            help="the day of a file without one; today by default",
        )

    def save_file(self, dataset: Dataset, reading: ImportOptions, options: dict[str, Any]) -> dict[str, Any]:
        found = import_stock(options["file"], dataset, reading, options["as_of"])
        counts = {"rows": found.rows, "below_zero": found.below_zero, "unknown": found.unknown}
        return {"stock": str(found.pk), "as_of": str(found.as_of), **counts, "sha256": found.sha256}

    def format_report(self, report: dict[str, Any]) -> str:
        text = "Stock of {as_of}: {rows} rows, {below_zero} below 0, {unknown} of unknown stores or products."
        return text.format(**report)
