"""A line of an order in words: why this quantity, and when it would run out."""

from __future__ import annotations

from datetime import date, timedelta
from math import isfinite
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from prediction.order_runs.inputs import find_arrivals
from prediction.order_runs.lines_file import LineTable
from registry.lib.formatting import DASH, format_percent, format_units

VERDICT_TITLES = {
    "urgent": gettext_lazy("urgent"),
    "order": gettext_lazy("order"),
    "none": gettext_lazy("nothing to order"),
}
SHOWN_TITLES = {
    "ordered": gettext_lazy("to order"),
    "urgent": gettext_lazy("urgent"),
    "noted": gettext_lazy("with a note"),
    "changed": gettext_lazy("changed"),
    "all": gettext_lazy("all lines"),
}
INPUT_TITLES = {
    "sales": gettext_lazy("New sales"),
    "plan": gettext_lazy("Changed plan"),
    "model": gettext_lazy("Changed model"),
    "stock": gettext_lazy("Stock and what is on order"),
    "terms": gettext_lazy("Terms and policy"),
    "override": gettext_lazy("Overrides"),
}


def next_arrival(table: LineTable, place: int, as_of: date) -> tuple[date, date]:
    """The days on which this order and the one after it can first be sold."""
    first, following = find_arrivals(table.terms[place], as_of)
    day = as_of + timedelta(days=1)
    return day + timedelta(days=first), day + timedelta(days=following)


def explain_quantity(table: LineTable, place: int, as_of: date) -> str:
    """Why this quantity, in one sentence."""
    found, terms = table.describe(place), table.terms[place]
    _first, following = next_arrival(table, place, as_of)
    words = {
        "day": date_format(following),
        "expected": format_units(found["expected"]),
        "safety": format_units(max(found["safety"], 0)),
        "share": format_percent(found["quantile"], 0),
        "there": format_units(found["on_hand"] + found["on_order"] - found["expiring"]),
        "quantity": format_units(found["quantity"]),
    }
    if found["quantity"] <= 0:
        return (
            _(
                "Until the next order arrives on %(day)s, %(expected)s units are expected; %(there)s are "
                "there or on their way, so nothing is ordered."
            )
            % words
        )
    packs = describe_packs(found["quantity"], terms.pack)
    return _(
        "Until the next order arrives on %(day)s, %(expected)s units are expected; with %(there)s there or "
        "on their way, %(quantity)s%(packs)s are ordered, which leaves %(safety)s for safety and lasts in "
        "%(share)s of the cases."
    ) % {**words, "packs": packs}


def describe_packs(quantity: float, pack: float | None) -> str:
    """The quantity in packs, in brackets, if it comes in packs of more than one."""
    if not pack or pack == 1:
        return ""
    count = round(quantity / pack)
    text = ngettext("%(count)d pack of %(size)s", "%(count)d packs of %(size)s", count)
    words = text % {"count": count, "size": f"{pack:g}"}
    return f" ({words})"


def describe_run_out(found: dict[str, Any], as_of: date) -> str:
    """When it would run out without the order."""
    if found["run_out_day"] < 0:
        return _("without this order, before the next one arrives")
    day = as_of + timedelta(days=1 + int(found["run_out_day"]))
    return _("without this order, about %(day)s") % {"day": date_format(day)}


def describe_cover(days: float) -> str:
    """How long stock, arrivals and order last."""
    if not isfinite(days):
        return DASH
    shown = round(days)
    return ngettext("%(count)d day", "%(count)d days", shown) % {"count": shown}
