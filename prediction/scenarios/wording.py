"""Scenarios in the reader's words: changes, warnings, rows of tables, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from prediction.explanations.directions import FIT_SHARE
from prediction.explanations.models import InputEffects
from prediction.explanations.wording import describe_direction
from prediction.scenarios.edits import PlanEdit
from prediction.scenarios.guards import (
    ABOVE,
    BELOW,
    CHAIN,
    FIRST_OPENING,
    FIRST_PROMOTION,
    PRODUCT,
    SERIES,
    Unseen,
)
from prediction.scenarios.models import Scenario
from prediction.scenarios.outcome import Outcome
from registry.datasets.levels import describe_selection
from registry.datasets.models import DatasetVersion
from registry.datasets.names import load_names
from registry.lib.formatting import format_percent, join_names, weekday_date
from registry.lib.tables import Column, Table
from registry.series.panels.column_groups import PRICE, PROMOTION

UNSEEN = {
    (BELOW, SERIES): gettext_noop(
        "%(what)s: never sold below %(bound)s; other stores did, so the model follows them."
    ),
    (BELOW, PRODUCT): gettext_noop(
        "%(what)s: never sold below %(bound)s in any store; the model follows other products."
    ),
    (BELOW, CHAIN): gettext_noop(
        "%(what)s: never sold below %(bound)s, and no product ever fell that much: the model guesses."
    ),
    (ABOVE, SERIES): gettext_noop(
        "%(what)s: never sold above %(bound)s; other stores did, so the model follows them."
    ),
    (ABOVE, PRODUCT): gettext_noop(
        "%(what)s: never sold above %(bound)s in any store; the model follows other products."
    ),
    (ABOVE, CHAIN): gettext_noop(
        "%(what)s: never sold above %(bound)s, and no product ever rose that much: the model guesses."
    ),
    (FIRST_PROMOTION, SERIES): gettext_noop("%(what)s: never promoted; the model follows other stores."),
    (FIRST_PROMOTION, PRODUCT): gettext_noop(
        "%(what)s: never promoted in any store; the model follows other products."
    ),
    (FIRST_PROMOTION, CHAIN): gettext_noop("Nothing was ever promoted: the model guesses."),
    (FIRST_OPENING, SERIES): gettext_noop("%(what)s: never open on that weekday; the model guesses."),
}
UNLEARNED = {
    PROMOTION: gettext_noop("This model has not learned promotions: they change nothing."),
    PRICE: gettext_noop("This model has not learned prices: they change nothing."),
}


@dataclass(frozen=True)
class EditText:
    """A change in words: what, when and for what."""

    what: str
    when: str
    where: str


def describe_edits(edits: Sequence[PlanEdit], data: DatasetVersion) -> list[EditText]:
    names = load_names(data)
    return [
        EditText(
            describe_change(edit),
            describe_days(edit.days),
            describe_selection(edit.selection, names) or _("everything"),
        )
        for edit in edits
    ]


def describe_change(edit: PlanEdit) -> str:
    """Promotion, price and opening in one line."""
    parts = []
    if edit.promotion is not None:
        parts.append(_("promotion") if edit.promotion else _("no promotion"))
    if edit.price is not None:
        share = f"{'+' if edit.price > 0 else '−'}{format_percent(abs(edit.price), 0)}"
        parts.append(_("price %(change)s") % {"change": share})
    if edit.opens is not None:
        parts.append(_("open") if edit.opens else _("closed"))
    return join_names(parts)


def describe_days(days: Sequence[str]) -> str:
    """Days as spans: 3–5 Nov, 9 Nov."""
    found = sorted(date.fromisoformat(day) for day in days)
    breaks = [place for place, (one, other) in enumerate(pairwise(found), 1) if (other - one).days > 1]
    spans = [found[start:end] for start, end in pairwise([0, *breaks, len(found)])]
    texts = [
        weekday_date(span[0]) if len(span) == 1 else f"{weekday_date(span[0])} – {weekday_date(span[-1])}"
        for span in spans
        if span
    ]
    return join_names(texts)


def list_warnings(scenario: Scenario, outcome: Outcome) -> list[str]:
    """What is unusual in a plan, and what its model does not know."""
    edits, names = scenario.list_edits(), load_names(scenario.dataset_version)
    texts = [_(UNLEARNED[group]) for group in outcome.unlearned]
    row = InputEffects.find(scenario.version)
    directions = (row.content or {}).get("directions", {})
    wanted = {PROMOTION: any(edit.promotion for edit in edits), PRICE: any(edit.price for edit in edits)}
    texts += [
        describe_direction(group, directions[group])
        for group, is_wanted in wanted.items()
        if is_wanted and group not in outcome.unlearned and directions.get(group, 1.0) < FIT_SHARE
    ]
    for one in outcome.unseen:
        text = _(UNSEEN[one.kind, one.unseen_by]) % name_unseen(one, names)
        more = ngettext("(%(n)s series)", "(%(n)s series)", one.series) % {"n": one.series}
        texts.append(f"{text} {more}" if one.series > 1 else text)
    return texts


def name_unseen(one: Unseen, names: Any) -> dict[str, str]:
    """What the sentence about an unseen value names."""
    return {"what": names.format_series(one.store, one.product), "bound": f"{one.bound or 0:g}"}


def describe_alike(outcome: Outcome) -> str:
    """How many past days such a plan can be judged by."""
    if not outcome.alike:
        return _("No past day of these series was like that.")
    text = ngettext("%(days)s past day was like that.", "%(days)s past days were like that.", outcome.alike)
    return text % {"days": outcome.alike}


def list_plan_days(outcome: Outcome) -> list[dict[str, Any]]:
    """The rows of the table of days."""
    return [
        {
            "label": weekday_date(date.fromisoformat(day)),
            "base": outcome.base["mean"][place],
            "plan": outcome.plan["mean"][place],
            "difference": outcome.difference["mean"][place],
            "low": outcome.difference["low"][place],
            "high": outcome.difference["high"][place],
        }
        for place, day in enumerate(outcome.dates)
    ]


def plan_chart(outcomes: Sequence[tuple[str, Outcome]]) -> dict[str, Any]:
    """What the chart reads: the newest sales, the forecast as it is, and a line for each plan."""
    first = outcomes[0][1]
    return {
        "history": [{"date": day, "units": units} for day, units in first.history],
        "dates": first.dates,
        "base": first.base,
        "plans": [{"name": name, **outcome.plan} for name, outcome in outcomes],
    }


def plan_table(scenario: Scenario, outcome: Outcome) -> Table:
    """A row a day: units without and with the plan, and the difference with its range."""
    titles = (_("Forecast"), _("With the plan"), _("Difference"), _("Low (8 in 10)"), _("High (8 in 10)"))
    columns = [Column(_("Day"), "day"), *(Column(title, "units") for title in titles)]
    rows = [
        [date.fromisoformat(day), *(row[name] for name in ("base", "plan", "difference", "low", "high"))]
        for day, row in zip(outcome.dates, list_plan_days(outcome), strict=True)
    ]
    sums = outcome.sums
    total = [_("Total"), sums["base"][0], sums["plan"][0], *sums["difference"]]
    return Table(scenario.name[:31], columns, rows, total)


def compared_table(rows: Sequence[tuple[Scenario, Outcome]]) -> Table:
    """A row a plan: units, difference with its range, and money."""
    titles = (_("Forecast"), _("With the plan"), _("Difference"), _("Low (8 in 10)"), _("High (8 in 10)"))
    columns = [Column(_("Plan")), *(Column(title, "units") for title in titles), Column(_("Money"), "units")]
    found = [
        [scenario.name, sums["base"][0], sums["plan"][0], *sums["difference"], *sums.get("money", [None])[:1]]
        for scenario, sums in ((one, outcome.sums) for one, outcome in rows)
    ]
    return Table(_("Plans"), columns, found)


def default_name(edits: Sequence[PlanEdit]) -> str:
    """What a plan is called until somebody names it: its first change."""
    if not edits:
        return _("Plan")
    first = date.fromisoformat(min(edits[0].days))
    words = {"what": describe_change(edits[0]), "day": date_format(first, "MONTH_DAY_FORMAT")}
    return capfirst(str(_("%(what)s from %(day)s") % words)[:80])
