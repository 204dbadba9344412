"""Ranges of sums come from the quantiles of the parts: small sellers are wider, all keep their promise."""

from __future__ import annotations

import numpy as np
import pytest

from registry.series.calibration import Calibration
from registry.series.prediction import Prediction
from registry.series.quantiles import QUANTILE_LEVELS
from registry.series.spread import fit_own_range, sum_spread

STORES, LARGE, SMALL, DAYS = 10, 200.0, 0.5, 28
KEYS = [(f"S{store}", f"P{product}") for store in range(STORES) for product in range(40)]
LEVELS = np.array([LARGE if int(product[1:]) < 20 else SMALL for _store, product in KEYS])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def window(rng):
    """Counts around a level that each product shares over its stores, and their true quantiles."""
    mean = np.repeat(LEVELS[:, None], DAYS, axis=1)
    actual = rng.poisson(mean).astype(float)
    quantiles = np.quantile(rng.poisson(LEVELS[:, None], (len(KEYS), 4000)), QUANTILE_LEVELS, axis=1).T
    forecast = np.concatenate([mean[..., None], np.repeat(quantiles[:, None], DAYS, axis=1)], axis=2)
    return actual, forecast.astype(np.float32)


def predict(calibration: Calibration, raw, days: int = DAYS) -> Prediction:
    made = calibration.calibrate_forecast(raw)[:, :days]
    dates = np.datetime64("2026-11-01") + np.arange(days)
    closed = np.zeros(made.shape[:2], bool)
    parts = (KEYS, made[..., 0], made[..., 1:], closed, calibration, [])
    return Prediction(dates[0] - 1, dates, *parts)


def rows_of(product: int):
    return np.array([row for row, key in enumerate(KEYS) if key[1] == f"P{product}"])


def width(prediction: Prediction, product: int) -> float:
    total, low, high = prediction.sum_with_interval(rows_of(product))
    return (high - low) / total


def test_a_small_seller_is_wider_in_proportion_than_a_large_one(rng):
    calibration = Calibration.fit([window(rng) for _ in range(3)], KEYS)
    prediction = predict(calibration, window(rng)[1])
    assert width(prediction, 30) > 5 * width(prediction, 3)
    single = [prediction.sum_with_interval(np.array([row])) for row in (3, 30)]
    large, small = ((high - low) / total for total, low, high in single)
    assert small > 5 * large


def test_eight_in_ten_sums_of_large_and_of_small_sellers_are_inside(rng):
    calibration = Calibration.fit([window(rng) for _ in range(3)], KEYS)
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(8):
        actual, raw = window(rng)
        prediction = predict(calibration, raw)
        for product in range(40):
            _total, low, high = prediction.sum_with_interval(rows_of(product))
            hits[product < 20].append(bool(low <= actual[rows_of(product)].sum() <= high))
    for inside in hits.values():
        assert np.mean(inside) == pytest.approx(0.8, abs=0.1)


def test_weeks_are_wider_in_proportion_than_the_whole_and_hold_their_shares(rng):
    calibration = Calibration.fit([window(rng) for _ in range(3)], KEYS)
    low, high, inside = 1, 5, []
    for _ in range(8):
        actual, raw = window(rng)
        prediction = predict(calibration, raw)
        for product in range(40):
            sold = actual[rows_of(product)].sum(axis=0).reshape(4, 7).sum(axis=1)
            weeks = prediction.week_quantiles(rows_of(product))
            assert len(weeks) == 4 and all((np.diff(ends) >= 0).all() for ends in weeks)
            inside += [ends[low] <= units <= ends[high] for ends, units in zip(weeks, sold, strict=True)]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.05)
    week = prediction.week_quantiles(rows_of(3))[0]
    assert (week[high] - week[low]) / (7 * STORES * LARGE) > width(prediction, 3)


def test_an_error_that_all_parts_share_is_found(rng):
    spreads = rng.uniform(0.01, 0.4, 2000)
    own = fit_own_range(rng.normal(0, np.hypot(0.1, spreads)), spreads, (0.1, 0.9))
    for spread in (0.01, 0.3):
        low, high = own.relative_ends(spread)
        assert -low == pytest.approx(1.2816 * np.hypot(0.1, spread), rel=0.15)
        assert high == pytest.approx(1.2816 * np.hypot(0.1, spread), rel=0.15)


def test_few_errors_give_the_largest_and_never_less_than_the_spread():
    lucky = fit_own_range(np.zeros(5), np.full(5, 0.1), (0.1, 0.9)).relative_ends(0.1)
    assert lucky == [pytest.approx(-0.128, abs=0.001), pytest.approx(0.128, abs=0.001)]
    far = fit_own_range(np.array([0.01, -0.5, 0.02]), np.full(3, 0.1), (0.1, 0.9)).relative_ends(0.1)
    assert far == [pytest.approx(-0.5, abs=0.001), pytest.approx(0.5, abs=0.001)]
    assert fit_own_range(np.array([np.nan]), np.ones(1), (0.1, 0.9)) is None


def test_a_model_of_an_earlier_release_keeps_the_range_of_its_kind(rng):
    old = Calibration(sums={"product": [[-0.1, 0.2]]})
    prediction = predict(old, window(rng)[1])
    total, low, high = prediction.sum_with_interval(rows_of(3))
    assert (low / total, high / total) == (pytest.approx(0.9), pytest.approx(1.2))
    assert prediction.week_quantiles(rows_of(3)) == []


def test_days_that_sell_nothing_have_no_spread():
    assert sum_spread(np.zeros((1, 7)), np.zeros((1, 7, 7)), is_count=True) == 0
