"""The product list as a table for CSV and Excel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from prediction.items.forecasts import LEVEL_PREFIX, ItemForecast
from prediction.items.wording import describe_flags
from registry.datasets.levels import level_label
from registry.lib.tables import Column, Table

SHOWN_WEEKS = 4


def item_table(items: Sequence[ItemForecast], side: str) -> Table:
    """The rows as listed, with the weeks ahead one by one; the units add up in the last row."""
    levels = [
        column
        for column in (items[0].levels if items else ())
        if any(item.levels[column] != item.category for item in items)  # else it is the category above
    ]
    columns = [
        Column(_("Code")),
        Column(_("Name")),
        Column(_("Category")),
        Column(_("Units expected"), "units"),
        Column(_("Low (8 in 10)"), "units"),
        Column(_("High (8 in 10)"), "units"),
        *(Column(_("Week %(number)s") % {"number": week + 1}, "units") for week in range(SHOWN_WEEKS)),
        Column(_("Same days last year"), "units"),
        Column(_("Change against last year"), "share"),
        Column(_("Days before"), "units"),
        Column(_("Change against the days before"), "share"),
        Column(_("Error in tests"), "share"),
        Column(_("To check")),
        *(Column(level_label(column)) for column in levels),
        Column(_("By the model alone"), "units"),
    ]
    total = [_("Total"), "", "", sum(item.expected for item in items), None, None]
    total += [sum_week(items, week) for week in range(SHOWN_WEEKS)]
    total += [None] * (len(columns) - len(total))
    return Table(side_title(side), columns, [item_row(item, levels) for item in items], total)


def side_title(side: str) -> str:
    """What a list is called: products, stores, or the level whose groups it lists."""
    if side.startswith(LEVEL_PREFIX):
        return level_label(side.removeprefix(LEVEL_PREFIX))
    return _("Stores") if side == "stores" else _("Products")


def sum_week(items: Sequence[ItemForecast], week: int) -> float:
    """Units expected of all rows in one week ahead."""
    return sum(item.ahead[week] for item in items if week < len(item.ahead))


def item_row(item: ItemForecast, levels: Sequence[str]) -> list[Any]:
    """The cells of one product, store or group."""
    weeks = [item.ahead[week] if week < len(item.ahead) else None for week in range(SHOWN_WEEKS)]
    return [
        *(item.code, item.name, item.category),
        *(item.expected, item.low, item.high),
        *weeks,
        *(item.last_year, item.change_last_year, item.before, item.change_before),
        item.error,
        ", ".join(flag.label for flag in describe_flags(item.flags)),
        *(item.levels[column] for column in levels),
        item.expected if item.model is None else item.model,
    ]
