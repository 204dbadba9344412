"""Runs compared with what was sold: exact, once, whole; and the page that shows it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django_q.models import OrmQ

from prediction.accuracy.honesty import measure_share
from prediction.accuracy.joining import JOB, ask_for_comparisons, compare_dataset, list_waiting
from prediction.accuracy.models import AccuracyCell, ComparedDays
from prediction.accuracy.page import page_context
from prediction.accuracy.reading import ErrorSums, Group, add_up_by, load_rows
from prediction.accuracy.scoring import find_lag, find_monday
from prediction.accuracy.worst import list_worst
from prediction.engine import load_panel
from prediction.runs.frozen import load_prediction, load_sums
from prediction.runs.maker import run_job
from prediction.runs.models import ForecastRun
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import Scope
from registry.lib.days import day_number
from registry.series import metrics
from registry.series.quantiles import MEDIAN_INDEX
from registry.storage.artifacts import get_artifact_store

AGO = (40, 33, 19)  # days before the last one from which the runs forecast


@pytest.fixture
def sales(sales) -> DatasetVersion:
    return DatasetVersion.objects.get(pk=sales.pk)  # whose dataset knows its current version


@pytest.fixture
def runs(version, sales, make_once) -> list[ForecastRun]:
    def make(days: int) -> ForecastRun:
        run = ForecastRun(version=version, dataset_version=sales, as_of=sales.last - timedelta(days=days))
        run.save(force_insert=True)
        run_job(run)
        return ForecastRun.objects.get(pk=run.pk)

    return make_once(("runs", version.pk), lambda: [make(days) for days in AGO])


@pytest.fixture
def compared(runs, sales) -> list[ForecastRun]:
    assert compare_dataset(sales.dataset) == len(runs)
    return runs


class Days:
    """Every run's days with what was sold, each series and day a row of its own."""

    def __init__(self, runs, sales) -> None:
        panel = load_panel(sales, Scope())
        parts = []
        for run in runs:
            found, column = load_prediction(run), panel.column_index(run.origin) + 1
            days = min(run.horizon, panel.days - column)
            rows = [panel.keys.index(key) for key in found.keys]
            past = panel.open_sales[rows, :column]
            size, steps = len(rows), np.arange(1, days + 1)
            weeks = [find_monday(day_number(run.origin) + int(step)) for step in steps]
            parts.append(
                {
                    "actual": panel.open_sales[rows, column : column + days],
                    "mean": found.mean[:, :days],
                    "quantiles": found.quantiles[:, :days],
                    "naive": metrics.repeat_last_week(past, days),
                    "scale": np.repeat(metrics.seasonal_scales(past)[0][:, None], days, axis=1),
                    "week": np.tile(weeks, (size, 1)),
                    "lag": np.tile([find_lag(int(step)) for step in steps], (size, 1)),
                    "store": np.repeat([[key[0]] for key in found.keys], days, axis=1),
                }
            )
        self.all = {
            name: np.concatenate([part[name].reshape(-1, *part[name].shape[2:]) for part in parts])
            for name in parts[0]
        }

    def measure(self, where) -> dict[str, float]:
        """The metrics of registry/series/metrics.py on the chosen days."""
        part = {name: values[where] for name, values in self.all.items()}
        actual, quantiles = part["actual"].astype(float), part["quantiles"].astype(float)
        median, scale = quantiles[:, MEDIAN_INDEX], part["scale"].astype(float)
        return {
            "wape": metrics.wape(actual, median),
            "bias": metrics.bias(actual, part["mean"].astype(float)),
            "mase": metrics.mase(actual[:, None], median[:, None], scale),
            "naive_wape": metrics.wape(actual, part["naive"].astype(float)),
            "inside": metrics.coverage(actual, quantiles),
        }


def is_same(sums: ErrorSums, wanted: dict) -> bool:
    found = {name: getattr(sums, name) for name in ("wape", "bias", "mase", "naive_wape")}
    inside = {name: sums.inside(name) for name in wanted["inside"]}
    exact = {name: pytest.approx(value, abs=1e-9) for name, value in wanted.items() if name != "inside"}
    return found == exact and inside == pytest.approx(wanted["inside"], abs=1e-9)


def test_the_page_has_the_numbers_of_the_metrics_on_the_same_days(compared, sales):
    days, context = Days(compared, sales), page_context(sales.dataset, Group(), "store_id", None)
    week, lag, store = (days.all[name] for name in ("week", "lag", "store"))
    assert is_same(context["total"], days.measure(np.ones(len(week), bool)))
    for monday, sums in context["weeks"]:
        assert is_same(sums, days.measure(week == day_number(monday)))
    rows = load_rows(sales.dataset, ("week", "lag"), group=Group(), kind="day")
    for row in rows:
        where = (week == day_number(row["week"])) & (lag == row["lag"])
        assert is_same(ErrorSums.add_up([row]), days.measure(where))
    for row in context["groups"]:
        assert is_same(row["sums"], days.measure(store == row["group"].split(":")[1]))
    assert {title for title, _sums in context["lags"]} == {"1–7", "8–14", "15–28"}


def test_levels_and_sizes_add_up_to_everything(compared, sales):
    total = ErrorSums.add_up(load_rows(sales.dataset, ("column",), group=Group(), kind="day")).values
    columns = add_up_by(load_rows(sales.dataset, ("column",), kind="day"), "column")
    assert {"", "store_id", "#size"} <= set(columns)
    for sums in columns.values():
        assert sums.values == pytest.approx(total, rel=1e-9)


@pytest.mark.slow
def test_days_that_come_one_by_one_give_the_same_sums_as_all_at_once(runs, sales, monkeypatch):
    dataset, last = sales.dataset, sales.last
    for back in range(41, -1, -1):
        dataset.current_version.last = last - timedelta(days=back)
        compare_dataset(dataset)
    by_day = load_rows(dataset, ("kind", "column", "value", "week", "lag"))
    assert ComparedDays.objects.count() == 28 + 28 + 19
    for row in ComparedDays.objects.all():
        row.remove()
    compare_dataset(dataset)
    at_once = load_rows(dataset, ("kind", "column", "value", "week", "lag"))
    names = ("kind", "column", "value", "week", "lag")
    wanted = {tuple(row.pop(name) for name in names): row for row in at_once}
    found = {tuple(row.pop(name) for name in names): row for row in by_day}
    assert found.keys() == wanted.keys()
    for key, row in wanted.items():
        assert found[key] == pytest.approx(row, rel=1e-9, abs=1e-9), key


def test_a_second_job_finds_nothing_to_do(compared, sales):
    before = AccuracyCell.objects.count(), ComparedDays.objects.count()
    assert compare_dataset(sales.dataset) == 0 and not list(list_waiting(sales.dataset))
    assert (AccuracyCell.objects.count(), ComparedDays.objects.count()) == before


class Killed(BaseException):
    """No handler of the product runs after a kill -9."""


@pytest.mark.parametrize("moment", ["write_series", "build_cells", "ComparedDays.mark_ready"])
def test_a_job_killed_at_any_moment_is_done_again_whole(runs, sales, monkeypatch, moment):
    def kill(*given, **named):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"prediction.accuracy.joining.{moment}", kill)
        with pytest.raises(Killed):
            compare_dataset(sales.dataset)
    assert not AccuracyCell.objects.exists()
    OrmQ.objects.all().delete()
    ask_for_comparisons()
    assert [row.func() for row in OrmQ.objects.all()] == [JOB]
    assert compare_dataset(sales.dataset) == len(runs) == ComparedDays.objects.count()
    files = get_artifact_store().listdir(ComparedDays.FOLDER)[1]
    assert len(files) == len(runs)


def test_what_was_compared_outlives_the_run(compared, sales):
    before = load_rows(sales.dataset, ("week",))
    compared[0].remove()
    assert load_rows(sales.dataset, ("week",)) == before


def test_a_run_by_a_model_that_had_learned_the_days_is_told(compared, sales, page, read):
    assert ComparedDays.objects.filter(is_informed=True).count() == len(compared)
    text = read(page.get(f"/d/{sales.dataset_id}/accuracy/"))
    assert "had learned these days already" in text and "Do ranges hold what they promise?" in text


def test_sums_of_weeks_hold_as_often_as_their_paths_say(compared, sales):
    rows = load_rows(sales.dataset, ("kind",), group=Group())
    found = {row["kind"]: row for row in rows}
    panel = load_panel(sales, Scope())
    inside = count = 0
    for run in compared:
        sums, column = load_sums(run.sums), panel.column_index(run.origin) + 1
        places = [panel.keys.index(key) for key in load_prediction(run).keys]
        for week in range(min(4, (panel.days - column) // 7)):
            part = panel.open_sales[places, column + 7 * week : column + 7 * week + 7]
            closed = load_prediction(run).closed[:, 7 * week : 7 * week + 7]
            whole = (~np.isnan(part) | closed).all(axis=1) & (~np.isnan(part)).any(axis=1)
            sold = np.nansum(part, axis=1)[whole]
            paths = sums.paths[whole, week] * sums.scales[whole, week, None]
            low, high = np.quantile(paths, (0.1, 0.9), axis=1)
            inside += int(((sold >= low - 0.5) & (sold <= high + 0.5)).sum())
            count += int(whole.sum())
    assert found["week"]["count"] == count > 0
    assert found["week"]["inside_80"] == pytest.approx(inside, abs=0.05 * count)
    assert found["week_total"]["count"] == sum(min(4, days // 7) for days in AGO)


def test_the_worst_are_those_with_the_most_units_missed(compared, sales, page, read):
    worst = list_worst(sales.dataset, Group(), None)
    assert [row.missed for row in worst] == sorted((row.missed for row in worst), reverse=True)
    only = list_worst(sales.dataset, Group("store_id", "S01"), None)
    assert only == [row for row in worst if row.store == "S01"]
    week = page_context(sales.dataset, Group(), "", None)["weeks"][0]
    first = list_worst(sales.dataset, Group(), week[0])
    assert sum(row.missed for row in first) == pytest.approx(week[1].values["missed"], rel=1e-9)


def test_the_page_filters_and_downloads(compared, sales, page, read):
    address = f"/d/{sales.dataset_id}/accuracy/"
    text = read(page.get(address, {"of": "store_id:S01", "by": "category", "week": "2026-10-05"}))
    assert "Store: " in text and "in the week from" in text
    assert page.get(address, {"of": "#size:x", "week": "x", "by": "nothing"}).status_code == 200
    lines = page.get(address, {"export": "csv"}).content.decode().splitlines()
    assert len(lines) == 1 + len(load_rows(sales.dataset, ("week", "lag"), group=Group(), kind="day"))


def test_newer_sales_ask_for_a_comparison(compared, sales):
    OrmQ.objects.all().delete()
    sales.save()
    assert JOB in [row.func() for row in OrmQ.objects.all()]


def test_the_band_of_a_share_allows_for_weeks_that_go_together():
    counts = [100.0] * 40
    steady = measure_share(0.8, [80.0] * 40, counts)
    lumpy = measure_share(0.8, [95.0] * 20 + [65.0] * 20, counts)
    assert steady.verdict == lumpy.verdict == "kept"
    assert lumpy.band[1] - lumpy.band[0] > 0.1 > steady.band[1] - steady.band[0]
    assert measure_share(0.8, [70.0] * 40, counts).verdict == "narrow"
    assert measure_share(0.8, [90.0] * 40, counts).verdict == "wide"
    assert measure_share(0.8, [8.0], [10.0]).band is None and measure_share(0.8, [], []) is None
