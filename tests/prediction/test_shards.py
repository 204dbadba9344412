"""A forecast in shards is the forecast of everything."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

from prediction.engine import ForecastError, run_forecast
from prediction.shards import GroupTotals, forecast_shards
from registry.series.levels import Selection


def test_every_series_is_forecast_as_among_all_others(version, halves):
    whole = run_forecast(version, Selection(), 14).prediction
    shards = list(forecast_shards(version, version.dataset_version, 14))
    assert [shard.number for shard in shards] == [0, 1] and {shard.count for shard in shards} == {2}
    assert sorted(key for shard in shards for key in shard.prediction.keys) == whole.keys
    places = {key: row for row, key in enumerate(whole.keys)}
    for shard in shards:
        rows = [places[key] for key in shard.panel.keys]
        np.testing.assert_allclose(shard.prediction.quantiles, whole.quantiles[rows], rtol=1e-5, atol=1e-5)


def test_totals_of_shards_are_those_of_everything(version, halves):
    whole, totals = run_forecast(version, Selection(), 14).prediction, GroupTotals()
    for shard in forecast_shards(version, version.dataset_version, 14):
        totals.add(shard.prediction, {"all": np.arange(len(shard.panel.keys))})
    np.testing.assert_allclose(totals.read_intervals()["all"], whole.sum_with_interval(), rtol=1e-5)


def test_a_forecast_goes_on_from_any_shard(version, halves):
    rest = [shard.number for shard in forecast_shards(version, version.dataset_version, 14, first=1)]
    assert rest == [1]


def test_the_file_of_shards_holds_every_series_once(version, halves, tmp_path):
    call_command("forecast", "--model", "best", "--horizon", "7", "--output", str(tmp_path / "all.parquet"))
    found = pd.read_parquet(tmp_path / "all.parquet")
    assert len(found) == 7 * 6 and not found.duplicated(["date", "store_id", "product_id"]).any()


def test_a_horizon_beyond_the_limit_is_refused(version):
    with pytest.raises(ForecastError, match="cannot be forecast"):
        next(forecast_shards(version, version.dataset_version, 9999))
