"""Forecast runs: made once and whole, lost and found again, current one at a time."""

from __future__ import annotations

import io
import json
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.utils import timezone
from django_q.models import OrmQ

from prediction.current_forecast import current_forecast, load_current
from prediction.engine import run_forecast
from prediction.models import CurrentForecast, Forecast
from prediction.runs import maker
from prediction.runs.current import promote_run, roll_back
from prediction.runs.frozen import load_prediction, load_sums, read_paths
from prediction.runs.models import ForecastRun, RunSums
from prediction.tasks import make_current_forecast, make_forecast_run
from registry.access.audit import AuditEntry
from registry.datasets.models import Dataset
from registry.series.levels import Selection
from registry.storage.artifacts import get_artifact_store


def build_run(version, **facts) -> ForecastRun:
    run = ForecastRun(version=version, dataset_version=version.dataset_version, **facts)
    run.save(force_insert=True)
    return run


@pytest.fixture
def run(version) -> ForecastRun:
    made = build_run(version)
    make_forecast_run(str(made.pk))
    made.refresh_from_db()
    return made


def jobs() -> int:
    return sum(row.func() == ForecastRun.JOB for row in OrmQ.objects.filter(key="light"))


def test_the_table_has_every_series_and_day_in_order(run, sales):
    table = pq.read_table(io.BytesIO(run.read())).to_pandas()
    keys = list(zip(table["store_id"], table["product_id"], table["date"], strict=True))
    assert keys == sorted(keys) and len(keys) == run.rows == run.series * 28
    assert (run.stage, run.state, run.origin) == ("done", "ready", sales.last)
    found = run_forecast(run.version, Selection(), 28)
    assert np.array_equal(table["mean"].to_numpy(np.float32), found.prediction.mean.ravel())
    assert table["open"].dtype == bool


def test_its_totals_are_those_of_its_series(run):
    table = pq.read_table(io.BytesIO(run.read()))
    assert table["mean"].to_numpy().sum(dtype=float) == pytest.approx(run.totals.total, abs=0.01)
    assert load_sums(run.sums).mean.sum(dtype=float) == pytest.approx(run.totals.total, abs=0.01)


def test_the_paths_read_back_are_those_of_the_forecast_and_of_the_stored_sums(run):
    found = run_forecast(run.version, Selection(), 28)
    drawn = read_paths(run, np.arange(run.series))
    assert np.array_equal(drawn, replace_cached(found).draw_paths())
    some = read_paths(run, [4, 1], range(7))
    assert np.array_equal(some, drawn[:, [4, 1], :7])
    sums = load_sums(run.sums)
    stored = sums.paths * sums.scales[..., None]  # [S, W, N]
    weekly = drawn.reshape(len(drawn), run.series, 4, 7).sum(axis=3)
    assert np.array_equal(stored, np.moveaxis(weekly, 0, 2))


def replace_cached(found):
    order = sorted(range(len(found.prediction.keys)), key=lambda row: found.prediction.keys[row])
    return found.prediction.select_series(np.array(order))


def test_the_range_of_a_sum_is_that_of_its_paths(run):
    rows = np.array([0, 2, 3])
    expected, low, high = load_sums(run.sums).sum_range(rows, 2)
    again = load_prediction(run).sum_with_interval(rows, range(14))
    assert (expected, low, high) == pytest.approx(again, rel=1e-5)


def test_the_same_run_again_has_the_same_hash(run, version):
    again = build_run(version)
    make_forecast_run(str(again.pk))
    again.refresh_from_db()
    assert again.sha256 == run.sha256 and again.sums.sha256 == run.sums.sha256


def test_a_run_that_somebody_else_makes_is_left_alone(version):
    run = build_run(version)
    assert run.claim()
    make_forecast_run(str(run.pk))
    assert not Forecast.objects.exists() and not RunSums.objects.exists()


class Killed(BaseException):
    """No handler of the product runs after a kill -9."""


MOMENTS = [
    "write_table",
    "write_sums",
    "save_totals",
    "ForecastRun.write_file",
    "RunSums.mark_ready",
    "ForecastRun.finish",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_killed_at_any_moment_is_made_again_whole(version, monkeypatch, moment):
    run = build_run(version)

    def kill(*given, **named):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"prediction.runs.maker.{moment}", kill)
        with pytest.raises(Killed):
            make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.stage == "running" and run.state == "pending"
    ForecastRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    OrmQ.objects.all().delete()
    assert [one.stage for one in ForecastRun.objects.expire_lost()] == ["queued"] and jobs() == 1
    make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.stage == "done" and run.read() and run.sums.read() and run.totals.load_content()
    assert RunSums.objects.count() == Forecast.objects.count() == 1


def test_a_run_that_kills_its_process_twice_fails_with_the_reason(version):
    run = build_run(version)
    for _attempt in range(2):
        assert run.claim()
        ForecastRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        ForecastRun.objects.expire_lost()
        run.refresh_from_db()
    assert run.stage == "failed" and "lost its process twice" in run.error_text
    assert not run.claim()


def test_an_attempt_that_lost_its_run_finishes_nothing(version):
    run = build_run(version)
    run.claim()
    other = ForecastRun.objects.get(pk=run.pk)
    ForecastRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other.expire()
    other.claim()
    assert not run.renew_lease() and not run.finish(rows=1) and not run.mark_failed("late")
    assert other.renew_lease()


def test_a_run_whose_job_was_lost_gets_another(version):
    build_run(version, queued_at=timezone.now() - timedelta(minutes=2))
    OrmQ.objects.all().delete()
    ForecastRun.objects.expire_lost()
    ForecastRun.objects.expire_lost()
    assert jobs() == 1


def test_a_failure_is_told(version, monkeypatch):
    def fail(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(maker, "write_table", fail)
    run = build_run(version)
    make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.stage == "failed" and "No space left" in run.error_text


def test_the_servers_own_forecast_is_a_run(version, sales):
    make_current_forecast(sales.dataset_id)
    run = ForecastRun.objects.get()
    assert run.is_current and run.is_done and run.reason == "server"
    assert load_current(sales.dataset).forecast == run.totals


def test_a_run_left_by_a_killed_server_is_taken_up_and_given_up_after_two(version, sales, monkeypatch):
    def kill(*given):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(maker, "write_table", kill)
        for _attempt in range(2):
            with pytest.raises(Killed):
                make_current_forecast(sales.dataset_id)
        make_current_forecast(sales.dataset_id)
    run = ForecastRun.objects.get()
    assert run.stage == "failed" and run.attempt == 2
    assert "lost its process twice" in load_current(sales.dataset).problem


def test_promotion_lasts_until_the_version_changes_and_can_be_rolled_back(run, sales, publish, user):
    make_current_forecast(sales.dataset_id)
    dataset = Dataset.objects.get()
    server = CurrentForecast.objects.get().run
    promote_run(run, "the plan was wrong", user)
    make_current_forecast(dataset.pk)
    assert current_forecast(dataset) == run.totals and ForecastRun.objects.count() == 2
    assert roll_back(run, user) == server and current_forecast(dataset) == server.totals
    assert list(AuditEntry.objects.filter(kind="forecastrun").values_list("act", flat=True)) == [
        "rolled_back",
        "promoted",
    ]
    with pytest.raises(ValueError, match="reason"):
        promote_run(run, " ", user)
    promote_run(run, "after all", user)
    publish(wape=0.1)
    make_current_forecast(dataset.pk)
    assert current_forecast(dataset).version.wape == 0.1


def test_a_run_as_of_an_earlier_day_hides_later_sales_and_cannot_be_current(version, sales, user, capsys):
    day = sales.last - timedelta(days=28)
    call_command("forecast_all", "--as-of", str(day), "--json")
    report = json.loads(capsys.readouterr().out)
    run = ForecastRun.objects.get(pk=report["run"])
    assert run.origin == day and report["origin"] == str(day) and report["rows"] == run.series * 28
    with pytest.raises(ValueError, match="everything"):
        promote_run(run, "no", user)


def test_removing_a_run_removes_all_its_files(run):
    paths = [run.path, run.sums.path, run.totals.path]
    run.remove()
    assert not any(get_artifact_store().exists(path) for path in paths)
    assert not Forecast.objects.exists() and not RunSums.objects.exists()


def test_a_reconciliation_leaves_failed_runs_and_finds_missing_files(run, version, capsys):
    failed = build_run(version)
    failed.claim()
    failed.mark_failed("no")
    ForecastRun.objects.update(created_at=timezone.now() - timedelta(days=2))
    call_command("reconcile_artifacts")
    get_artifact_store().delete(run.sums.path)
    with pytest.raises(Exception, match="1 of 1"):
        call_command("reconcile_artifacts")
    assert "run_sums" in capsys.readouterr().out


def test_a_clean_up_keeps_the_totals_of_a_run(run, settings):
    settings.KEEP_DAYS, settings.GRACE_HOURS = 1, 0
    Forecast.objects.update(created_at=timezone.now() - timedelta(days=90))
    call_command("cleanup_artifacts", "--apply", verbosity=0)
    assert Forecast.objects.get() == run.totals


def test_a_run_comes_back_from_the_archive(run, archive_folder):
    run.move_to_archive()
    assert run.is_archived and not get_artifact_store().exists(run.path)
    assert run.read() and not run.is_archived
