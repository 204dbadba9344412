"""The product list as a table for CSV and Excel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from prediction.items.forecasts import ItemForecast
from prediction.items.wording import describe_flags
from registry.lib.export import Column, Table

SHOWN_WEEKS = 4


def item_table(items: Sequence[ItemForecast], side: str) -> Table:
    """The rows as listed, with the weeks ahead one by one; the units add up in the last row."""
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
    ]
    total = [_("Total"), "", "", sum(item.expected for item in items), None, None]
    total += [sum_week(items, week) for week in range(SHOWN_WEEKS)]
    total += [None] * (len(columns) - len(total))
    title = _("Stores") if side == "stores" else _("Products")
    return Table(title, columns, [item_row(item) for item in items], total)


def sum_week(items: Sequence[ItemForecast], week: int) -> float:
    """Units expected of all rows in one week ahead."""
    return sum(item.ahead[week] for item in items if week < len(item.ahead))


def item_row(item: ItemForecast) -> list[Any]:
    """The cells of one product or store."""
    weeks = [item.ahead[week] if week < len(item.ahead) else None for week in range(SHOWN_WEEKS)]
    return [
        *(item.code, item.name, item.category),
        *(item.expected, item.low, item.high),
        *weeks,
        *(item.last_year, item.change_last_year, item.before, item.change_before),
        item.error,
        ", ".join(flag.label for flag in describe_flags(item.flags)),
    ]
