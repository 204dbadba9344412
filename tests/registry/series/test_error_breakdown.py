"""Errors by day ahead, product, store and sales level: parts of one whole, counted as the whole is."""

from __future__ import annotations

import numpy as np
import pytest

from registry.series import metrics
from registry.series.calibration import group_rows
from registry.series.dependence import Dependence
from registry.series.error_breakdown import MAX_ROWS, HoldoutWindow, error_breakdown
from registry.series.paths import PathSampler
from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS

STORES, PRODUCTS, DAYS = 3, 4, 14
KEYS = [(f"S{s}", f"P{p}") for s in range(STORES) for p in range(PRODUCTS)]


def trial(seed: int, keys=KEYS) -> HoldoutWindow:
    """Sales around a level that grows with the series, some days unknown, forecast with honest quantiles."""
    rng = np.random.default_rng(seed)
    level = np.linspace(5, 100, len(keys))[:, None]
    actual = rng.normal(level, 2, (len(keys), DAYS)).astype(np.float32)
    actual[rng.random(actual.shape) < 0.1] = np.nan
    steps = np.linspace(-4, 4, len(QUANTILE_LEVELS))
    mean = np.broadcast_to(level, actual.shape) + rng.normal(0, 1, actual.shape)
    quantiles = (mean[..., None] + steps).astype(np.float32)
    return window(actual, mean.astype(np.float32), quantiles, keys)


def window(actual, mean, quantiles, keys=KEYS) -> HoldoutWindow:
    """A window whose series and days are independent."""
    alone = [1.0, 0, 0, 0, 0]
    dependence = Dependence(shared=[0.0] * 5, store=[0.0] * 5, product=[0.0] * 5, own=[alone] * 3, windows=1)
    return HoldoutWindow(
        actual, mean, quantiles, PathSampler(keys, mean, quantiles, dependence, False, "test", 400)
    )


PAST = np.linspace(5, 100, len(KEYS))[:, None] * np.ones((1, 50), np.float32)
TRIALS = [trial(1), trial(2)]
FOUND = error_breakdown(TRIALS, KEYS, PAST)
ACTUAL = np.stack([one.actual for one in TRIALS])
MEDIANS = np.stack([one.quantiles[..., MEDIAN_INDEX] for one in TRIALS])
MEANS = np.stack([one.mean for one in TRIALS])


def test_each_day_ahead_has_its_own_error_over_all_windows():
    assert [row["step"] for row in FOUND["by_step"]] == list(range(1, DAYS + 1))
    for step, row in enumerate(FOUND["by_step"]):
        day = (slice(None), slice(None), step)
        assert row["wape"] == pytest.approx(metrics.wape(ACTUAL[day], MEDIANS[day]), abs=1e-4)
        assert row["bias"] == pytest.approx(metrics.bias(ACTUAL[day], MEANS[day]), abs=1e-4)
        assert row["n"] == (~np.isnan(ACTUAL[day])).sum()


@pytest.mark.parametrize(("name", "part"), [("by_store", 0), ("by_product", 1)])
def test_products_and_stores_are_counted_like_the_whole_and_come_largest_first(name, part):
    units = [row["units"] for row in FOUND[name]]
    assert units == sorted(units, reverse=True) and sum(units) == pytest.approx(np.nansum(ACTUAL), rel=1e-4)
    for row in FOUND[name]:
        rows = [i for i, key in enumerate(KEYS) if key[part] == row["code"]]
        assert row["wape"] == pytest.approx(metrics.wape(ACTUAL[:, rows], MEDIANS[:, rows]), abs=1e-4)
        assert row["bias"] == pytest.approx(metrics.bias(ACTUAL[:, rows], MEANS[:, rows]), abs=1e-4)


def test_sales_levels_are_thirds_by_what_was_sold_before():
    assert [(row["level"], row["series"]) for row in FOUND["by_level"]] == [
        ("low", 4),
        ("middle", 4),
        ("high", 4),
    ]
    quantiles = np.stack([one.quantiles for one in TRIALS])
    wanted = metrics.coverage(ACTUAL[:, :4], quantiles[:, :4])["80"]
    assert FOUND["by_level"][0]["coverage"] == pytest.approx(wanted, abs=1e-4)
    assert 0 < wanted < 1


def test_totals_cover_their_own_days_about_as_often_as_promised():
    assert set(FOUND["totals"]) == {"store", "product", "all"}
    assert FOUND["totals"]["store"]["80"] == pytest.approx(0.8, abs=0.05)
    assert FOUND["totals"]["store"]["50"] < FOUND["totals"]["store"]["95"]


def test_a_total_leaves_out_the_forecast_of_days_without_an_actual():
    one = trial(3)
    rows = np.arange(PRODUCTS)
    one.actual[rows[0], 0] = np.nan
    other = window(one.actual, one.mean.copy(), one.quantiles.copy())
    other.mean[rows[0], 0] = other.quantiles[rows[0], 0] = 1e6
    np.testing.assert_array_equal(one.group_totals([rows])[1][:, :2], other.group_totals([rows])[1][:, :2])


def test_of_many_products_only_the_largest_are_listed():
    keys = [("S", f"P{number:03d}") for number in range(MAX_ROWS + 50)]
    found = error_breakdown([trial(4, keys)], keys, np.ones((len(keys), 30), np.float32))
    codes = [row["code"] for row in found["by_product"]]
    assert len(codes) == MAX_ROWS and f"P{MAX_ROWS + 49:03d}" in codes and "P000" not in codes
    assert [row["code"] for row in found["by_store"]] == ["S"]


def test_what_was_never_sold_has_no_error_rate():
    nothing = np.zeros((1, DAYS), np.float32)
    one = window(nothing, nothing, np.zeros((1, DAYS, len(QUANTILE_LEVELS)), np.float32), [("S", "P")])
    found = metrics.replace_nan(error_breakdown([one], [("S", "P")], nothing))
    assert found["by_product"] == [{"code": "P", "wape": None, "bias": None, "units": 0.0}]
    assert found["by_step"][0]["n"] == 1


def test_rows_are_grouped_by_store_and_by_product_in_their_order():
    groups = group_rows([("B", "x"), ("A", "x"), ("B", "y")])
    assert [rows.tolist() for rows in groups["store"]] == [[0, 2], [1]]
    assert [rows.tolist() for rows in groups["product"]] == [[0, 1], [2]]
