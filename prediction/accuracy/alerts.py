"""Alerts of drift: opened and prolonged after each comparison, closed by people or when it is over.

A group has one alert of a kind at a time. A store is measured against what all other stores did.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Max, QuerySet, Sum

from prediction.accuracy.drift import (
    STORE_THRESHOLD,
    THRESHOLD,
    Drift,
    WeekTotal,
    compare_with_others,
    find_bias_drift,
    find_skill_drift,
    select_apart,
    usual_ratio,
)
from prediction.accuracy.groups import EVERYTHING, STORES
from prediction.accuracy.models import AccuracyAlert, AccuracyCell
from prediction.accuracy.reading import Group
from registry.access.audit import AuditAction, record_action
from registry.datasets.models import Dataset
from registry.lib.days import day_number, from_day_number
from registry.model_versions.in_use import version_in_use

# The second week: a model that follows last week hides a change in the first.
WATCHED_LAG, WATCHED_DAYS = 8, 14
WATCHED_WEEKS = 60
Kind, State = AccuracyAlert.Kind, AccuracyAlert.State


def update_alerts(dataset: Dataset) -> None:
    """Opens, prolongs and closes the alerts of a dataset by its compared weeks. Safe to repeat."""
    weeks = load_weeks(dataset)
    version = version_in_use(dataset)
    usual = usual_ratio(version.metrics) if version else None
    closed = load_closed(dataset)
    found: dict[tuple[str, Group], Drift] = {}
    for group, known in weeks.items():
        after = {kind: closed.get((kind, group.column, group.value)) for kind in Kind.values}
        if group == Group():
            drift = find_bias_drift(known, after[Kind.BIAS], THRESHOLD)
        else:
            own = compare_with_others(known, weeks.get(Group(), []))
            drift = find_bias_drift(own, after[Kind.BIAS], STORE_THRESHOLD)
        if drift:
            found[Kind.BIAS, group] = drift
        if usual and (drift := find_skill_drift(known, usual, after[Kind.SKILL])):
            found[Kind.SKILL, group] = drift
    save_alerts(dataset, leave_out_explained(found))


def load_weeks(dataset: Dataset) -> dict[Group, list[WeekTotal]]:
    """The second weeks of the runs, of everything and of each store, oldest first, none overlapping."""
    cells = AccuracyCell.objects.filter(dataset=dataset, column__in=(EVERYTHING, STORES), lag=WATCHED_LAG)
    newest = cells.aggregate(week=Max("week"))["week"]
    if newest is None:
        return {}
    cells = cells.filter(week__gte=newest - timedelta(weeks=WATCHED_WEEKS)).order_by("days__origin")
    names = ("column", "value", "days__origin")
    days = cells.filter(kind=AccuracyCell.Kind.DAY).values(*names)
    misses = {
        tuple(row[name] for name in names): (row["off"], row["naive"])
        for row in days.annotate(off=Sum("missed"), naive=Sum("naive_missed"))
    }
    found: dict[Group, list[WeekTotal]] = {}
    totals = cells.filter(kind=AccuracyCell.Kind.WEEK_TOTAL)
    for column, value, origin, *sums in totals.values_list(*names, "units", "over", "deviation"):
        week = build_week(origin, sums, misses.get((column, value, origin), (0.0, 0.0)))
        found.setdefault(Group(column, value), []).append(week)
    return {group: select_apart(part) for group, part in found.items()}


def build_week(origin: date, sums: Sequence[float], misses: tuple[float, float]) -> WeekTotal:
    """A week from its units, what was expected beyond them, and the deviation, which tells the spread."""
    units, over, deviation = sums
    spread = abs(over / deviation) if deviation else 0.0
    return WeekTotal(day_number(origin) + WATCHED_DAYS, units, units + over, spread, *misses)


def load_closed(dataset: Dataset) -> dict[tuple[str, str, str], int]:
    """The last day of the newest closed alert of each kind and group: its weeks raise no other."""
    rows = AccuracyAlert.objects.filter(dataset=dataset, state=State.CLOSED).order_by("last")
    return {
        (kind, column, value): day_number(last)
        for kind, column, value, last in rows.values_list("kind", "column", "value", "last")
    }


def leave_out_explained(found: dict[tuple[str, Group], Drift]) -> dict[tuple[str, Group], Drift]:
    """Without stores that went the way of everything."""
    whole = {kind: drift.direction for (kind, group), drift in found.items() if group == Group()}
    return {
        (kind, group): drift
        for (kind, group), drift in found.items()
        if group == Group() or whole.get(kind) != drift.direction
    }


def save_alerts(dataset: Dataset, found: dict[tuple[str, Group], Drift]) -> None:
    """Rows of what was found; those of what is over are closed."""
    with transaction.atomic():
        going = AccuracyAlert.objects.select_for_update().filter(dataset=dataset).exclude(state=State.CLOSED)
        rows = {(row.kind, Group(row.column, row.value)): row for row in going}
        for name, drift in found.items():
            facts = {
                "first": from_day_number(drift.first),
                "last": from_day_number(drift.last),
                "weeks": drift.weeks,
                "change": drift.change,
            }
            if name in rows:
                AccuracyAlert.objects.filter(pk=rows[name].pk).update(**facts)
            else:
                kind, group = name
                group_facts = {"column": group.column, "value": group.value}
                AccuracyAlert.objects.create(dataset=dataset, kind=kind, **group_facts, **facts)
        for name, row in rows.items():
            if name not in found:
                AccuracyAlert.objects.filter(pk=row.pk).update(state=State.CLOSED)


def change_alert(alert: AccuracyAlert, state: str, by: AbstractBaseUser | None) -> None:
    """Acknowledges or closes an alert; raises ValueError if it is closed already or the state is none."""
    if state not in (State.ACKNOWLEDGED, State.CLOSED):
        raise ValueError(state)
    with transaction.atomic():
        rows = AccuracyAlert.objects.filter(pk=alert.pk).exclude(state=State.CLOSED)
        if rows.update(state=state, changed_by=by):
            record_action(AuditAction.CHANGED, alert, by, str(State(state).label))


def list_open(dataset: Dataset) -> QuerySet[AccuracyAlert]:
    """The alerts that nobody has acknowledged, newest first."""
    return AccuracyAlert.objects.filter(dataset=dataset, state=State.OPEN)
