"""Explanations in the reader's words: names of the groups, sentences, rows of tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from prediction.explanations.content import Explanation
from prediction.explanations.directions import FIT_SHARE
from prediction.explanations.inputs import GROUPS, LEVEL, SEASON, WEEKDAY
from registry.labels import column_label
from registry.lib.formatting import DASH, format_percent, format_units, join_names, weekday_date
from registry.lib.tables import Column, Table
from registry.series.panels.column_groups import HOLIDAY, OTHER, PRICE, PROMOTION

GROUP_LABELS = {
    LEVEL: gettext_noop("Usual level"),
    WEEKDAY: gettext_noop("Weekday"),
    SEASON: gettext_noop("Season and last year"),
    HOLIDAY: gettext_noop("Holidays and closed days"),
    PROMOTION: gettext_noop("Promotion"),
    PRICE: gettext_noop("Price"),
    OTHER: gettext_noop("Other known columns"),
}
REFERENCES = {
    LEVEL: gettext_noop("what these sales would be on an average weekday of the year, without all below"),
    WEEKDAY: gettext_noop("compared with the other weekdays on which the store is open"),
    SEASON: gettext_noop("compared with the same weekday at four times of the year"),
    HOLIDAY: gettext_noop("compared with no holiday, open as usual on that weekday"),
    PROMOTION: gettext_noop("compared with no promotion"),
    PRICE: gettext_noop("compared with the usual price of the last 90 days"),
    OTHER: gettext_noop("compared with their usual values of the last 90 days"),
}
WORTH_TELLING = 0.01  # of the units, below which a part is not told
MARKED_DAY = 0.02  # of a day's units, from which on a group counts as at work
MOST_SENTENCES = 2


@dataclass(frozen=True)
class PartRow:
    """A line of the table: units of all days, and their share of the forecast in words."""

    name: str
    label: str
    reference: str
    units: float
    share: str


def list_parts(explanation: Explanation) -> list[PartRow]:
    """The level, then the groups in their order."""
    total, found = explanation.total, explanation.totals
    return [
        PartRow(
            name,
            group_label(name),
            describe_reference(name, explanation),
            found[name],
            format_percent(found[name] / total).replace("-", "−") if total else DASH,
        )
        for name in (LEVEL, *GROUPS)
        if name in found
    ]


def group_label(name: str) -> str:
    return _(GROUP_LABELS[name])


def describe_reference(name: str, explanation: Explanation) -> str:
    """What a group is compared with, and which columns of the data it reads."""
    text = _(REFERENCES[name])
    if name == PRICE and explanation.usual_price is not None:
        text = _("compared with its usual price, %(price)s") % {"price": f"{explanation.usual_price:g}"}
    columns = [column_label(one) for one in explanation.columns.get(name, [])]
    return f"{text} ({join_names(columns)})" if columns and name in (HOLIDAY, OTHER) else text


def build_why_sentences(explanation: Explanation) -> list[str]:
    """The largest parts in words, at most two; that there are none if there are none."""
    total = abs(explanation.total) or 1.0
    found = [(name, units) for name, units in explanation.totals.items() if name in SENTENCES]
    told = [(name, units) for name, units in found if abs(units) >= WORTH_TELLING * total]
    told = sorted(told, key=lambda part: -abs(part[1]))[:MOST_SENTENCES]
    if not told:
        return [_("No promotion, price, holiday or season moves these days by more than 1%.")]
    return [SENTENCES[name](units, count_days(explanation, name)) for name, units in told]


def count_days(explanation: Explanation, name: str) -> int:
    """The days on which a group does something."""
    days = zip(explanation.parts[name], explanation.mean, strict=True)
    return sum(abs(part) > MARKED_DAY * max(abs(mean), abs(part)) for part, mean in days)


def say_promotion(units: float, days: int) -> str:
    if units > 0:
        text = ngettext(
            "The promotion adds %(units)s units on %(days)s day.",
            "The promotion adds %(units)s units on %(days)s days.",
            days,
        )
    else:
        text = ngettext(
            "The promotion takes away %(units)s units on %(days)s day.",
            "The promotion takes away %(units)s units on %(days)s days.",
            days,
        )
    return text % {"units": format_units(abs(units)), "days": days}


def choose_sentence(more: str, less: str) -> Callable[[float, int], str]:
    """What says that a group adds or takes away units."""

    def say(units: float, days: int) -> str:
        return _(more if units > 0 else less) % {"units": format_units(abs(units))}

    return say


SENTENCES: dict[str, Callable[[float, int], str]] = {
    PROMOTION: say_promotion,
    PRICE: choose_sentence(
        gettext_noop("Prices below the usual ones add %(units)s units."),
        gettext_noop("Prices above the usual ones take away %(units)s units."),
    ),
    HOLIDAY: choose_sentence(
        gettext_noop("Holidays and closed days add %(units)s units."),
        gettext_noop("Holidays and closed days take away %(units)s units."),
    ),
    SEASON: choose_sentence(
        gettext_noop("The season adds %(units)s units."),
        gettext_noop("The season takes away %(units)s units."),
    ),
    WEEKDAY: choose_sentence(
        gettext_noop("The weekdays of this period add %(units)s units."),
        gettext_noop("The weekdays of this period take away %(units)s units."),
    ),
    OTHER: choose_sentence(
        gettext_noop("Other known columns add %(units)s units."),
        gettext_noop("Other known columns take away %(units)s units."),
    ),
}


@dataclass(frozen=True)
class Share:
    """How far a group moves a day, as a share of the units."""

    label: str
    value: float


@dataclass(frozen=True)
class Direction:
    """Whether a version knows which way promotions, or prices, push sales."""

    is_fit: bool
    text: str


def list_shares(shares: dict[str, float]) -> list[Share]:
    """The groups of a version's test windows, the strongest first."""
    found = [Share(group_label(name), value) for name, value in shares.items() if name in GROUP_LABELS]
    return sorted(found, key=lambda share: -share.value)


def list_directions(directions: dict[str, float]) -> list[Direction]:
    """What a version expects of a promotion and of a higher price."""
    return [
        Direction(share >= FIT_SHARE, describe_direction(name, share))
        for name, share in directions.items()
        if name in DIRECTIONS
    ]


def describe_direction(name: str, share: float) -> str:
    """One sentence with the share of series that behave as they should."""
    fit, unfit = DIRECTIONS[name]
    if share >= FIT_SHARE:
        return _(fit) % {"share": format_percent(share, 0)}
    return _(unfit) % {"share": format_percent(1 - share, 0)}


DIRECTIONS = {
    PROMOTION: (
        gettext_noop(
            "Fit for trying promotions: with one, %(share)s of the series are expected to sell no less."
        ),
        gettext_noop(
            "Not fit for trying promotions: with one, %(share)s of the series are expected to sell less."
        ),
    ),
    PRICE: (
        gettext_noop(
            "Fit for trying prices: 10%% dearer, %(share)s of the series are expected to sell no more."
        ),
        gettext_noop(
            "Not fit for trying prices: 10%% dearer, %(share)s of the series are expected to sell more."
        ),
    ),
}


def parts_table(explanation: Explanation) -> Table:
    """A row a day: the units expected and their parts; the totals below."""
    names = [name for name in (LEVEL, *GROUPS) if name in explanation.parts]
    columns = [Column(_("Day"), "day"), Column(_("Expected"), "units")]
    columns += [Column(group_label(name), "units") for name in names]
    rows = [
        [
            date.fromisoformat(day),
            round(mean, 3),
            *(round(explanation.parts[name][place], 3) for name in names),
        ]
        for place, (day, mean) in enumerate(zip(explanation.dates, explanation.mean, strict=True))
    ]
    sums = [round(explanation.totals[name], 3) for name in names]
    return Table(_("Why"), columns, rows, [_("Total"), round(explanation.total, 3), *sums])


def list_days(explanation: Explanation) -> list[dict[str, Any]]:
    """The rows of the table of days: label, units expected, and the parts in the order of `list_parts`."""
    names = [name for name in (LEVEL, *GROUPS) if name in explanation.parts]
    return [
        {
            "label": weekday_date(date.fromisoformat(day)),
            "mean": explanation.mean[place],
            "parts": [explanation.parts[name][place] for name in names],
        }
        for place, day in enumerate(explanation.dates)
    ]


def why_chart(explanation: Explanation) -> dict[str, Any]:
    """What both charts of the page read."""
    parts = list_parts(explanation)
    return {
        "days": explanation.dates,
        "mean": explanation.mean,
        "total": explanation.total,
        "groups": [
            {
                "name": part.name,
                "label": part.label,
                "units": part.units,
                "days": explanation.parts[part.name],
            }
            for part in parts
        ],
    }
