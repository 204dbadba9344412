"""Drift of weekly series, and its alerts."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.urls import reverse

from prediction.accuracy.alerts import save_alerts, update_alerts
from prediction.accuracy.drift import Drift, WeekTotal, find_bias_drift, find_skill_drift, select_apart
from prediction.accuracy.models import AccuracyAlert, AccuracyCell, ComparedDays
from prediction.accuracy.reading import Group
from registry.access.audit import AuditEntry
from registry.datasets.models import DatasetVersion

SEEDS = range(20)
WEEKS = 52


def draw_weeks(seed: int, scatter: float = 0.07, naive: float = 2.0) -> list[WeekTotal]:
    """A year of a forecast that is a little too low; its misses go on from week to week."""
    rng = np.random.default_rng(seed)
    noise, found = 0.0, []
    for week in range(WEEKS):
        noise = 0.3 * noise + rng.normal(0, scatter)
        off = 10 * np.exp(rng.normal(0, 0.1))
        found.append(WeekTotal(7 * week, 100 * np.exp(0.03 + noise), 100.0, 10.0, off, naive * off))
    return found


def multiply(week: WeekTotal, factor: float, missed: float = 1.0) -> WeekTotal:
    return WeekTotal(
        week.last, week.sold * factor, week.expected, week.spread, week.missed * missed, week.naive_missed
    )


@pytest.mark.slow
@pytest.mark.parametrize("factor", [1.25, 0.75])
def test_a_shift_of_a_quarter_is_flagged_within_two_weeks(factor):
    flagged = 0
    for seed in SEEDS:
        weeks = draw_weeks(seed)
        found = find_bias_drift([*weeks[:-2], *(multiply(week, factor) for week in weeks[-2:])])
        flagged += found is not None and found.direction == (1 if factor > 1 else -1)
    assert flagged >= 18


@pytest.mark.slow
def test_a_year_without_a_shift_has_one_false_alarm_at_most():
    for find in (find_bias_drift, lambda weeks: find_skill_drift(weeks, (-0.7, 0.1))):
        counts = []
        for seed in SEEDS:
            weeks = draw_weeks(seed)
            found = [find(weeks[:stop]) is not None for stop in range(1, WEEKS + 1)]
            counts.append(
                sum(now and not before for before, now in zip([False, *found], found, strict=False))
            )
        assert np.mean(counts) <= 1, counts


def test_errors_that_grow_are_flagged():
    for seed in SEEDS:
        weeks = draw_weeks(seed)
        found = find_skill_drift([*weeks[:-3], *(multiply(one, 1, 1.6) for one in weeks[-3:])], (-0.7, 0.1))
        assert found is not None and found.change > 0.3


def test_weeks_of_a_closed_alert_raise_no_other():
    weeks = draw_weeks(1)
    moved = [*weeks[:-3], *(multiply(week, 1.4) for week in weeks[-3:])]
    assert find_bias_drift(moved) and find_bias_drift(moved, after=moved[-1].last) is None


def test_weeks_that_overlap_are_taken_once():
    weeks = [WeekTotal(day, 1.0, 1.0, 1.0) for day in range(20)]
    assert [week.last for week in select_apart(weeks)] == [0, 7, 14]


@pytest.fixture
def data(sales) -> DatasetVersion:
    return DatasetVersion.objects.get(pk=sales.pk)


def compare_weeks(data, factors: dict[str, float]) -> None:
    """A year of compared second weeks, the newest three multiplied, by store ("": all, ten times one)."""
    for seed, (store, factor) in enumerate(factors.items()):
        size = 1 if store else 10
        weeks = draw_weeks(seed)
        for number, week in enumerate([*weeks[:-3], *(multiply(one, factor) for one in weeks[-3:])]):
            origin = data.last - timedelta(days=14 + 7 * (WEEKS - 1 - number))
            days, _made = ComparedDays.objects.get_or_create(
                dataset_version=data, origin=origin, first=origin + timedelta(days=1),
                defaults={"last": origin + timedelta(days=14), "state": "ready"},
            )  # fmt: skip
            where = {"days": days, "dataset": data.dataset, "lag": 8, "week": days.last, "value": store}
            where["column"] = "store_id" if store else ""
            off = week.sold - week.expected
            total = {
                "units": size * week.sold,
                "over": -size * off,
                "deviation": off / week.spread,
                "count": 1,
            }
            AccuracyCell.objects.create(kind="week_total", **where, **total)
            misses = {"missed": week.missed, "naive_missed": week.naive_missed}
            AccuracyCell.objects.create(kind="day", **where, **misses)


def test_a_store_that_goes_its_own_way_has_one_alert_until_it_is_over(data, version, user):
    compare_weeks(data, {"": 1.0, "S01": 1.5, "S02": 1.0})
    for _again in range(2):
        update_alerts(data.dataset)
    alert = AccuracyAlert.objects.get()
    assert (alert.kind, alert.value, alert.state, alert.last) == ("bias", "S01", "open", data.last)
    AccuracyCell.objects.all().delete()
    compare_weeks(data, {"S01": 1.0})
    update_alerts(data.dataset)
    alert.refresh_from_db()
    assert alert.state == "closed"


def test_stores_that_go_with_all_have_no_alerts_of_their_own(data, version):
    compare_weeks(data, {"": 1.5, "S01": 1.5, "S02": 1.5})
    update_alerts(data.dataset)
    assert AccuracyAlert.objects.get().column == ""


def test_an_alert_is_on_the_overview_until_somebody_acknowledges_it(data, version, admin_page, read):
    compare_weeks(data, {"": 1.0, "S01": 1.5})
    update_alerts(data.dataset)
    alert, start = AccuracyAlert.objects.get(), f"/d/{data.dataset_id}"
    assert "more was sold against the forecast" in read(admin_page.get(f"{start}/"))
    page = read(admin_page.get(f"{start}/accuracy/"))
    assert "more was sold against the forecast" in page and "Acknowledge" in page and "Train again" in page
    admin_page.post(start + reverse("accuracy-alert", args=[alert.pk, "acknowledged"]))
    assert "more was sold against the forecast" not in read(admin_page.get(f"{start}/"))
    page = read(admin_page.get(f"{start}/accuracy/"))
    assert "more was sold against the forecast" in page and "acknowledged" in page
    admin_page.post(start + reverse("accuracy-alert", args=[alert.pk, "closed"]))
    update_alerts(data.dataset)
    assert [row.state for row in AccuracyAlert.objects.all()] == ["closed"]
    assert AuditEntry.objects.filter(kind="accuracyalert").count() == 2
    assert admin_page.post(start + reverse("accuracy-alert", args=[alert.pk, "open"])).status_code == 404


def test_a_drift_that_goes_on_prolongs_its_alert(data):
    for last in (7, 14):
        save_alerts(data.dataset, {("bias", Group()): Drift(1, 1, last, last // 7, 0.3)})
    alert = AccuracyAlert.objects.get()
    assert alert.weeks == 2 and alert.last - alert.first == timedelta(days=13)
