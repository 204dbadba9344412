"""The summary of imported sales in words, for pages and commands."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registry.datasets.names import code_with_name
from registry.lib.formatting import format_percent, format_units, format_whole_number

MIN_RHYTHM = 0.05  # difference of a weekday from the mean that is worth a word


def summary_facts(summary: dict[str, Any]) -> list[str]:
    """What the product believes about the sales; empty for versions of early releases."""
    if not summary:
        return []
    first, last = (date_format(date.fromisoformat(summary[end])) for end in ("first", "last"))
    facts = [f"{first} – {last}", silent_text(summary["silent"], summary["days"])]
    if sheets := summary.get("sheets"):
        facts.insert(0, ngettext("read %(count)d sheet", "read %(count)d sheets", sheets) % {"count": sheets})
    if summary["units"]:
        facts.append(_("median %(units)s units a day") % {"units": format_units(summary["median"])})
    facts += [rhythm_text(summary["weekdays"]), *biggest_texts(summary)]
    return [fact for fact in facts if fact]


def silent_text(silent: int, days: int) -> str:
    """On how many days nothing was sold."""
    words = {"days": format_whole_number(days), "silent": format_whole_number(silent)}
    if not silent:
        return _("sales on its only day") if days == 1 else _("sales on all %(days)s days") % words
    return (
        ngettext(
            "%(silent)s of %(days)s days has no sales", "%(silent)s of %(days)s days have no sales", silent
        )
        % words
    )


def rhythm_text(weekdays: list[float]) -> str:
    """The best and the weakest weekday against the mean; empty where all are alike.

    >>> rhythm_text([10.0] * 7), rhythm_text([10.0, 10.0, 10.0, 10.0, 10.0, 20.0, 0.0])
    ('', 'best day Saturday (+100%), weakest Sunday (−100%)')
    """
    mean = sum(weekdays) / 7
    if mean <= 0:
        return ""
    order = sorted(range(7), key=lambda day: weekdays[day])
    low, high = order[0], order[-1]
    if weekdays[high] - weekdays[low] < MIN_RHYTHM * mean:
        return ""
    words = {"high": WEEKDAYS[high], "more": f"+{format_percent(weekdays[high] / mean - 1, 0)}"}
    words |= {"low": WEEKDAYS[low], "less": f"−{format_percent(1 - weekdays[low] / mean, 0)}"}
    return _("best day %(high)s (%(more)s), weakest %(low)s (%(less)s)") % words


def biggest_texts(summary: dict[str, Any]) -> list[str]:
    """The biggest product and store, where there are several."""
    texts = {
        "product": _("biggest product %(name)s (%(share)s of units)"),
        "store": _("biggest store %(name)s (%(share)s of units)"),
    }
    return [
        text
        % {
            "name": code_with_name(found["code"], {found["code"]: found["name"]}),
            "share": format_percent(found["share"], 0),
        }
        for kind, text in texts.items()
        if (found := summary.get(kind))
    ]
