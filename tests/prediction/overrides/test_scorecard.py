"""What overrides were worth: equal to a calculation by hand, each counted once, judged from 20 on."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from prediction.accuracy.joining import compare_dataset
from prediction.accuracy.models import ComparedDays
from prediction.accuracy.reading import ErrorSums, Group, load_rows
from prediction.engine import load_panel
from prediction.models import ForecastRun, Override, OverrideScore
from prediction.overrides.listing import build_scorecard, load_record
from prediction.overrides.scorecard import ENOUGH, group_scores, load_scored, measure_score
from prediction.runs.frozen import load_prediction
from prediction.tasks import make_forecast_run
from registry.datasets.scope import Scope
from registry.series.levels import Selection

BACK = 28  # days that are known after the run


@pytest.fixture
def run_back(version, sales):
    """Makes a run as of four weeks ago, or of another day."""

    def make(back: int = BACK) -> ForecastRun:
        day = sales.last - timedelta(days=back)
        run = ForecastRun.objects.create(version=version, dataset_version=sales, as_of=day)
        make_forecast_run(str(run.pk))
        return ForecastRun.objects.get(pk=run.pk)

    return make


@pytest.fixture
def said_early(override):
    """Makes an override that was known before the run."""

    def make(*given, **facts) -> Override:
        made = override(*given, **facts)
        long_ago = timezone.make_aware(datetime(2020, 1, 1))
        Override.objects.filter(pk=made.pk).update(created_at=long_ago)
        return made

    return make


@pytest.fixture
def cells(run_back, sales):
    """(series, day ahead, sold, expected by the model, sold on the same weekday before) of a run."""
    run = run_back()
    model, panel = load_prediction(run), load_panel(sales, Scope())
    start = panel.days - BACK
    sold = panel.open_sales[:, start:]
    naive = np.tile(panel.open_sales[:, start - 7 : start], 4)
    assert panel.keys == model.keys
    run.delete()
    return [
        (key, day + 1, float(sold[row, day]), float(model.mean[row, day]), float(naive[row, day]))
        for row, key in enumerate(panel.keys)
        for day in range(BACK)
        if not np.isnan([sold[row, day], naive[row, day]]).any()
    ]


def raise_where_it_hurts(cells, said_early, count=ENOUGH, **facts):
    """Raises so many days by 20% of which less was sold than expected; these days."""
    chosen = [cell for cell in cells if 0 < cell[2] < cell[3]][:count]
    for (store, product), day, *_numbers in chosen:
        days = {"first": day - BACK, "last": day - BACK}
        said_early(Selection(store, product), **days, **facts)
    assert len(chosen) == count
    return chosen


def test_twenty_percent_where_it_hurts_has_the_negative_value_of_a_calculation_by_hand(
    cells, said_early, run_back, sales
):
    chosen = raise_where_it_hurts(cells, said_early)
    run_back()
    assert compare_dataset(sales.dataset) == 1
    sold, model, naive = (np.array([cell[place] for cell in chosen]) for place in (2, 3, 4))
    final = 1.2 * model
    errors = {name: np.abs(sold - one).sum() for name, one in (("m", model), ("f", final), ("n", naive))}
    score = measure_score(load_scored(sales.dataset))
    assert score.count == ENOUGH and score.verdict == "harmed"
    assert score.value == pytest.approx((errors["m"] - errors["f"]) / sold.sum(), rel=1e-6)
    assert score.value == pytest.approx(-0.2 * model.sum() / sold.sum(), rel=1e-6)
    assert score.model == pytest.approx(errors["m"] / sold.sum(), rel=1e-6)
    assert score.final == pytest.approx(errors["f"] / sold.sum(), rel=1e-6)
    assert score.naive == pytest.approx(errors["n"] / sold.sum(), rel=1e-6)
    assert score.interval[0] < score.value < score.interval[1] < 0


def test_fewer_than_twenty_are_counted_but_not_judged(cells, said_early, run_back, sales, user):
    raise_where_it_hurts(cells, said_early, ENOUGH - 1)
    run_back()
    compare_dataset(sales.dataset)
    score = measure_score(load_scored(sales.dataset))
    assert (score.count, score.missing, score.value, score.verdict) == (ENOUGH - 1, 1, None, "")
    record = dict(load_record(Override(dataset=sales.dataset, reason="promotion", created_by=user)))
    assert {one.count for one in record.values()} == {ENOUGH - 1}


def test_days_that_come_one_by_one_give_the_same_score(cells, said_early, run_back, sales):
    raise_where_it_hurts(cells, said_early)
    said_early(first=3 - BACK, last=16 - BACK, kind="add", amount=50.0)
    run_back()
    compare_dataset(sales.dataset)
    at_once = load_scored(sales.dataset)
    for row in ComparedDays.objects.all():
        row.remove()
    assert not OverrideScore.objects.exists()
    last = sales.last
    for back in range(BACK, -1, -4):
        sales.dataset.current_version.last = last - timedelta(days=back)
        compare_dataset(sales.dataset)
    by_day = load_scored(sales.dataset)
    assert [one.override for one in by_day] == [one.override for one in at_once]
    for found, wanted in zip(by_day, at_once, strict=True):
        for name in ("sold", "naive", "model", "before", "after", "final"):
            assert getattr(found, name) == pytest.approx(getattr(wanted, name), abs=1e-6)


def test_an_override_in_several_runs_counts_once_with_the_mean_of_their_errors(said_early, run_back, sales):
    said_early(first=-6, last=0)
    run_back(28)
    compare_dataset(sales.dataset)
    first = load_scored(sales.dataset)
    run_back(14)
    compare_dataset(sales.dataset)
    (both,) = load_scored(sales.dataset)
    rows = OverrideScore.objects.filter(days__origin=sales.last - timedelta(days=14))
    second = sum(abs(row.sold - row.model) for row in rows)
    assert both.model == pytest.approx((first[0].model + second) / 2)


def test_errors_of_the_accuracy_page_are_those_of_the_model(said_early, run_back, sales):
    run_back()
    compare_dataset(sales.dataset)
    before = load_rows(sales.dataset, ("kind",), group=Group())
    for row in ComparedDays.objects.all():
        row.remove()
    said_early(first=1 - BACK, last=11 - BACK, amount=75.0)
    run = run_back()
    assert load_prediction(run).adjustment is not None and compare_dataset(sales.dataset) == 1
    after = load_rows(sales.dataset, ("kind",), group=Group())
    for was, now in zip(before, after, strict=True):
        assert ErrorSums.add_up([now]).values == pytest.approx(ErrorSums.add_up([was]).values, rel=1e-5)
    assert load_scored(sales.dataset)[0].size == 3


def test_everybody_has_a_card_of_their_own_and_people_are_parted(cells, said_early, run_back, sales, person):
    other = person("eva", "Planner")
    raise_where_it_hurts(cells, said_early)
    said_early(first=1 - BACK, last=2 - BACK, created_by=other, kind="set", amount=1.0, reason="weather")
    run_back()
    compare_dataset(sales.dataset)
    everything = {table.title: dict(table.rows) for table in build_scorecard(sales.dataset, None)}
    assert {name: score.count for name, score in everything["Person"].items()} == {"ana": ENOUGH, "eva": 1}
    assert everything["Direction"]["downwards"].count == 1 and everything["Reason"]["weather"].value is None
    own = {table.title: dict(table.rows) for table in build_scorecard(sales.dataset, other.pk)}
    assert "Person" not in own and own[""]["All overrides"].count == 1
    sizes = group_scores(load_scored(sales.dataset), lambda one: one.size)
    assert sizes[1].count == ENOUGH and sizes[3].count == 1


def test_the_page_shows_names_to_curators_only(cells, said_early, run_back, person, browse, page, read):
    address = "/scorecard/"
    assert "Nothing to judge yet" in read(page.get(address))
    raise_where_it_hurts(cells, said_early)
    compare_dataset(run_back().dataset_version.dataset)
    text = read(page.get(address))
    assert "made it worse" in text and "ana" in text and "−" in text
    eva = browse(person("eva", "Planner"))
    assert "Nothing to judge yet" in read(eva.get(address))
    lines = page.get(address, {"export": "csv"}).content.decode().splitlines()
    assert "Group" in lines[0] and len(lines) > 4
