"""Ranges beyond the tested days: wider with every day, and the same as ever within the tested ones."""

from __future__ import annotations

import numpy as np
import pytest

from registry.series.calibration import Calibration
from registry.series.widening import LEAST_GROWTH, MOST_GROWTH, estimate_growth

KEYS = [(f"S{store}", f"P{product}") for store in range(2) for product in range(10)]


@pytest.fixture
def holdout():
    numbers = np.random.default_rng(3)
    windows = []
    for _window in range(3):
        actual = numbers.poisson(20, (len(KEYS), 28)).astype(np.float32)
        ends = np.array([20, 8, 12, 16, 20, 24, 28, 32], np.float32)
        windows.append((actual, np.broadcast_to(ends, (len(KEYS), 28, 8)).copy()))
    return windows


def test_days_within_the_tested_ones_are_as_before(holdout):
    fitted = Calibration.fit(holdout, KEYS)
    unknown = Calibration(**{**vars(fitted), "window_days": 0})
    raw = np.concatenate([window for _actual, window in holdout], axis=1)  # 84 days
    near, far = fitted.calibrate_forecast(raw[:, :28]), fitted.calibrate_forecast(raw)
    np.testing.assert_array_equal(near, unknown.calibrate_forecast(raw[:, :28]))
    np.testing.assert_array_equal(far[:, :28], near)
    width = far[..., 6] - far[..., 2]
    assert (np.diff(width[:, 27:].mean(axis=0)) > 0).all()
    np.testing.assert_array_equal(far[..., 0], unknown.calibrate_forecast(raw)[..., 0])
    assert (np.diff(far[..., 1:], axis=2) >= 0).all() and far.min() >= 0


def test_the_growth_is_measured_where_the_tests_are_long_enough():
    sold = np.full((5, 28), 10.0)

    def windows(late: float):
        return [(sold, np.concatenate([np.full((5, 14), 9.0), np.full((5, 14), late)], axis=1))]

    assert estimate_growth(windows(9.0)) == LEAST_GROWTH
    assert LEAST_GROWTH < estimate_growth(windows(8.0)) < MOST_GROWTH
    assert estimate_growth(windows(4.0)) == MOST_GROWTH
    assert estimate_growth([(sold[:, :7], sold[:, :7])]) == LEAST_GROWTH
    assert estimate_growth(windows(9.0) * 2 + windows(4.0)) == LEAST_GROWTH  # sales moved in one window


def test_a_calibration_of_an_earlier_release_is_read_and_widens_by_the_least():
    tables = {"totals": {"all": [0.0] * 7}, "sums": {"all": [[-0.1, 0.1]]}, "own": {}, "weeks": {}}
    old = Calibration.from_json({"factors": {}, "mean": 0.9, **tables})
    assert (old.mean, old.window_days, old.growth) == (0.9, 0, LEAST_GROWTH)
