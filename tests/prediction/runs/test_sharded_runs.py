"""A run that is made shard by shard is the run of everything, and goes on where it was killed."""

from __future__ import annotations

import io
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from django.utils import timezone

from prediction.engine import forget_cached
from prediction.overrides.models import Override
from prediction.runs import sharded
from prediction.runs.frozen import load_prediction, load_sums
from prediction.runs.models import ForecastRun
from prediction.runs.sharded import remove_forgotten, shards_folder
from prediction.tasks import make_forecast_run
from registry.model_versions.bundle import Bundle


def make(version, **facts) -> ForecastRun:
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version, **facts)
    make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.is_done, run.error_text
    return run


def read(run: ForecastRun):
    return pq.read_table(io.BytesIO(run.read())).to_pandas()


@pytest.fixture
def anew(monkeypatch) -> None:
    """No run takes its numbers from another one."""
    monkeypatch.setattr(sharded, "load_fitting", lambda *asked: None)


def test_table_sums_and_totals_are_those_of_everything(version, request, anew):
    whole = make(version)
    request.getfixturevalue("halves")
    run = make(version)
    one, other = read(whole), read(run)
    assert list(one.columns) == list(other.columns) and run.rows == whole.rows and run.origin == whole.origin
    for name in one.columns:
        if one[name].dtype.kind == "f":
            np.testing.assert_allclose(other[name], one[name], rtol=1e-5, atol=1e-5, err_msg=name)
        else:
            assert list(one[name]) == list(other[name]), name
    np.testing.assert_allclose(load_sums(run.sums).mean, load_sums(whole.sums).mean, rtol=1e-5)
    np.testing.assert_allclose(load_sums(run.sums).before, load_sums(whole.sums).before)
    for made in (whole, run):
        made.content = made.totals.load_content()
    first, second = whole.content, run.content
    assert second.history == first.history and second.events == first.events
    np.testing.assert_allclose(second.analysis.total, first.analysis.total, rtol=1e-5)
    assert second.analysis.last_year == first.analysis.last_year
    assert [part.code for part in second.breakdown["products"]] == [
        part.code for part in first.breakdown["products"]
    ]


def test_a_run_as_of_an_earlier_day_hides_what_was_sold_since_in_every_shard(version, halves):
    day = version.dataset_version.last - timedelta(days=14)
    run = make(version, as_of=day)
    assert run.origin == day and run.series == 6


def test_a_killed_run_goes_on_from_the_shard_that_it_was_at(version, halves, monkeypatch):
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    made, forecast = [], Bundle.forecast

    def kill_at_second(self, panel, horizon, rows=None):
        made.append(panel.keys)
        if len(made) == 2:
            raise KeyboardInterrupt
        return forecast(self, panel, horizon, rows)

    monkeypatch.setattr(Bundle, "forecast", kill_at_second)
    with pytest.raises(KeyboardInterrupt):
        make_forecast_run(str(run.pk))
    assert [path.name for path in shards_folder(run).path.iterdir()] == ["0.parquet"]
    ForecastRun.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    ForecastRun.objects.expire_lost()
    forget_cached()
    make_forecast_run(str(run.pk))
    run.refresh_from_db()
    assert run.is_done and len(made) == 3 and made[1] == made[2] != made[0]
    assert not shards_folder(run).path.exists()


def test_shards_are_gone_on_with_on_another_host(version, halves, shared_store, go_to_host, monkeypatch):
    go_to_host("one")
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    forecasts = iter(["the only one"])
    monkeypatch.setattr(sharded, "write_table", lambda path, made, panel: path.write_bytes(b"made"))
    monkeypatch.setattr(sharded, "read_prediction", lambda source: source.read())
    monkeypatch.setattr(sharded, "select_keys", lambda made, keys: made)

    class Learned:
        def forecast(self, panel, horizon):
            return next(forecasts)

    class Shard:
        keys: list = []

    sharded.forecast_shard(run, 0, Shard(), Learned())
    go_to_host("two")
    assert sharded.forecast_shard(run, 0, Shard(), Learned()) == b"made"


def test_a_run_with_an_override_takes_the_numbers_of_the_model_from_the_run_before(
    version, halves, monkeypatch
):
    before = make(version)
    days = {"first": before.first_day, "last": before.first_day, "kind": "percent", "amount": 50.0}
    Override.objects.create(dataset=version.model.dataset, reason="other", **days)

    def fail(*given):
        raise AssertionError("It is forecast anew.")

    monkeypatch.setattr(Bundle, "forecast", fail)
    after = load_prediction(make(version))
    earlier = load_prediction(before)
    np.testing.assert_array_equal(after.model_mean, earlier.mean)
    np.testing.assert_allclose(after.mean[:, 0], 1.5 * earlier.mean[:, 0], rtol=1e-5)


def test_what_nobody_goes_on_with_is_deleted_after_a_day(version, monkeypatch):
    run = ForecastRun(version=version, dataset_version=version.dataset_version)
    shards_folder(run).path.mkdir(parents=True)
    remove_forgotten()
    assert shards_folder(run).path.exists()
    monkeypatch.setattr(sharded, "FORGOTTEN", timedelta(seconds=-60))
    remove_forgotten()
    assert not shards_folder(run).path.exists()
