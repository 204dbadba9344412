"""Rows of the pages of overrides: overrides in words, the record of such changes, and the scorecard."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from prediction.overrides.models import Override
from prediction.overrides.scorecard import (
    SIZES,
    Score,
    ScoredOverride,
    group_scores,
    load_scored,
    measure_score,
)
from prediction.overrides.wording import (
    describe_change,
    describe_days,
    describe_state,
    load_item_names,
    name_series,
)
from registry.datasets.models import Dataset
from registry.lib.formatting import format_percent
from registry.lib.tables import Column, Table


@dataclass(frozen=True)
class ScoreTable:
    """Scores of groups: a heading, and (group, score) of each."""

    title: str
    rows: list[tuple[str, Score]]


def list_overrides(dataset: Dataset, is_all: bool) -> QuerySet[Override]:
    """Those in force on days to come, in the order in which they were made; or all, newest first."""
    related = ("dataset", "created_by", "withdrawn_by")
    if is_all:
        return Override.objects.filter(dataset=dataset).select_related(*related).order_by("-pk")
    sales = dataset.current_version
    first = sales.last + timedelta(days=1) if sales else date.min
    return Override.objects.in_force(dataset.pk, first, date.max).select_related(*related)


def describe_override(override: Override) -> dict[str, Any]:
    """The override with its texts."""
    kind, state = describe_state(override)
    return {
        "override": override,
        "series": name_series(override, load_item_names(override.dataset)),
        "days": describe_days(override),
        "change": describe_change(override),
        "state": state,
        "badge": kind,
    }


def override_table(dataset: Dataset, found: Iterable[Override]) -> Table:
    """The overrides with their codes, for programs and people."""
    titles = [_("Store"), _("Product"), _("Group"), _("From"), _("To"), _("Change"), _("Amount"), _("Reason")]
    titles += [_("Note"), _("Counts until"), _("Who"), _("Made"), _("Withdrawn"), _("State")]
    kinds = {_("From"): "day", _("To"): "day", _("Counts until"): "day", _("Amount"): "units"}
    rows = [
        [
            *(row.store, row.product, "; ".join(str(group) for group in row.selection.levels)),
            *(row.first, row.last, row.kind, row.amount, str(row.get_reason_display()), row.text),
            *(
                row.expires,
                str(row.created_by or ""),
                row.created_at,
                row.withdrawn_at,
                describe_state(row)[1],
            ),
        ]
        for row in found
    ]
    return Table(_("Overrides"), [Column(title, kinds.get(title, "text")) for title in titles], rows)


def load_record(override: Override) -> list[tuple[str, Score]]:
    """How changes like this one went so far: those of the same reason, and those of the same person."""
    own = load_scored(override.dataset, override.created_by_id)
    found = [(_("All of yours"), measure_score(own))]
    if override.reason:
        same = [one for one in own if one.override.reason == override.reason]
        reason = _("Yours for the same reason: %(reason)s") % {"reason": override.get_reason_display()}
        found.insert(0, (reason, measure_score(same)))
    return found


def build_scorecard(dataset: Dataset, created_by: int | None) -> list[ScoreTable]:
    """The tables of the page, of one person or (None) of all."""
    scored = load_scored(dataset, created_by)
    tables = [ScoreTable("", [(_("All overrides"), measure_score(scored))])]
    if created_by is None:
        people = group_scores(scored, lambda one: str(one.override.created_by or _("unknown")))
        tables.append(ScoreTable(_("Person"), name_rows(people)))
    reasons = group_scores(scored, lambda one: str(one.override.get_reason_display()))
    ways = group_scores(scored, lambda one: _("upwards") if one.is_up else _("downwards"))
    tables += [ScoreTable(_("Reason"), name_rows(reasons)), ScoreTable(_("Direction"), name_rows(ways))]
    return [*tables, ScoreTable(_("Size of the change"), list_sizes(scored))]


def name_rows(scores: dict[Any, Score]) -> list[tuple[str, Score]]:
    """The groups by their names."""
    return [(str(name), score) for name, score in scores.items()]


def list_sizes(scored: Sequence[ScoredOverride]) -> list[tuple[str, Score]]:
    """The sizes from the smallest on."""
    limits = [format_percent(limit, 0) for limit in SIZES]
    titles = [_("below %(limit)s") % {"limit": limits[0]}]
    titles += [_("%(low)s to %(high)s") % {"low": low, "high": high} for low, high in pairwise(limits)]
    titles.append(_("%(limit)s and more") % {"limit": limits[-1]})
    found = group_scores(scored, lambda one: one.size)
    return [(title, found[place]) for place, title in enumerate(titles) if place in found]


def scorecard_table(tables: Sequence[ScoreTable]) -> Table:
    """All tables of the page as one."""
    titles = [
        _("By"),
        _("Group"),
        _("Overrides"),
        _("Repeating last week"),
        _("Model"),
        _("Final"),
        _("Value added"),
    ]
    titles += [_("Lower end (95%)"), _("Upper end (95%)")]
    kinds = ["text", "text", "count", *["share"] * 6]
    rows = [
        [
            *(table.title, name, score.count, score.naive, score.model, score.final, score.value),
            *(score.interval or (None, None)),
        ]
        for table in tables
        for name, score in table.rows
    ]
    return Table(
        _("Scorecard"), [Column(title, kind) for title, kind in zip(titles, kinds, strict=True)], rows
    )
