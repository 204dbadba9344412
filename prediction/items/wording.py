"""The flags of the product list in words: on their badge, in full, and as a choice of the filter."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from prediction.items.flags import Flags
from prediction.items.listing import ANY_FLAG
from registry.lib.formatting import format_decimal, format_percent

FLAG_TITLES = {
    ANY_FLAG: gettext_noop("Anything to check"),
    "new": gettext_noop("New"),
    "level": gettext_noop("Level changed"),
    "missed": gettext_noop("Off target"),
    "idle": gettext_noop("No recent sales"),
    "few": gettext_noop("Few sales"),
}
FLAG_KINDS = {"new": "warn", "level": "warn", "missed": "bad", "idle": "warn", "few": ""}


@dataclass(frozen=True)
class FlagText:
    """A badge: its colour, its words, and the whole sentence."""

    kind: str
    label: str
    sentence: str


def describe_flags(flags: Flags) -> list[FlagText]:
    """The flags of a row, the gravest first."""
    order = [code for code in FLAG_KINDS if code in flags]
    return [FlagText(FLAG_KINDS[code], *describe_flag(code, flags[code])) for code in order]


def describe_flag(code: str, value: float) -> tuple[str, str]:
    """Words and sentence of one flag."""
    if code == "new":
        return _("new"), _("On sale for less than two weeks: forecast mostly from similar products.")
    if code == "level":
        return describe_level(value)
    if code == "missed":
        return describe_miss(value)
    if code == "idle":
        weeks = round(value)
        label = ngettext("No sales for %(weeks)s week", "No sales for %(weeks)s weeks", weeks)
        return label % {"weeks": weeks}, _("Nothing was sold in these weeks: still on sale?")
    words = {"units": format_decimal(value, 1)}
    return _("Few sales"), _("About %(units)s units a week: go by the total, not by single days.") % words


def describe_level(change: float) -> tuple[str, str]:
    """Words and sentence of a level that moved."""
    words = {"size": format_percent(abs(change), 0)}
    if change > 0:
        sentence = _("The newest days sold %(size)s more than this forecast expects.")
        return _("Sales up %(size)s") % words, sentence % words
    sentence = _("The newest days sold %(size)s less than this forecast expects.")
    return _("Sales down %(size)s") % words, sentence % words


def describe_miss(change: float) -> tuple[str, str]:
    """Words and sentence of an earlier forecast that missed."""
    words = {"size": format_percent(abs(change), 0)}
    if change > 0:
        sentence = _("Sales since an earlier forecast were %(size)s higher than it expected.")
        return _("Off target: %(size)s more") % words, sentence % words
    sentence = _("Sales since an earlier forecast were %(size)s lower than it expected.")
    return _("Off target: %(size)s less") % words, sentence % words
