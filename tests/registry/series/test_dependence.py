"""Known dependence is found again, and sums keep their promise under it."""

from __future__ import annotations

import numpy as np
import pytest

from registry.series.dependence import TIMES, Dependence
from registry.series.joint import fit_joint
from registry.series.prediction import Prediction
from registry.series.quantiles import QUANTILE_LEVELS

STORES, PRODUCTS, DAYS = 6, 20, 28
KEYS = [(f"S{store}", f"P{product}") for store in range(STORES) for product in range(PRODUCTS)]
SCORES = np.array([-1.96, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.96], np.float32)
LEVEL, DEVIATION = 100.0, 20.0


class Chain:
    """Sales of a level with errors that are shared, of a store, and of a series, each wandering by AR(1)."""

    def __init__(self, seed: int, shared: float, store: float, own: float):
        self.rng, self.parts = np.random.default_rng(seed), (shared, store, own)

    def wander(self, count: int, days: int) -> np.ndarray:
        """Standard normal AR(1) that forgets in TIMES[2] days: [count, days]."""
        kept = np.exp(-1 / TIMES[2])
        values = self.rng.normal(size=(count, days))
        for day in range(1, days):
            values[:, day] = kept * values[:, day - 1] + np.sqrt(1 - kept**2) * values[:, day]
        return values

    def window(self, days: int = DAYS):
        """Actual [S, days] and an honest forecast of each day [S, days, Q]."""
        shared, store, own = self.parts
        score = np.sqrt(shared) * self.wander(1, days) + np.sqrt(own) * self.wander(len(KEYS), days)
        score += np.sqrt(store) * np.repeat(self.wander(STORES, days), PRODUCTS, axis=0)
        score += np.sqrt(1 - shared - store - own) * self.rng.normal(size=score.shape)
        ends = np.concatenate([[LEVEL], LEVEL + DEVIATION * SCORES]).astype(np.float32)
        return (LEVEL + DEVIATION * score).astype(np.float32), np.tile(ends, (*score.shape, 1))


def predict(calibration, dependence, raw, seed: int = 0) -> Prediction:
    made = calibration.calibrate_forecast(raw)
    dates = np.datetime64("2026-11-01") + np.arange(raw.shape[1])
    closed = np.zeros(made.shape[:2], bool)
    parts = (KEYS, made[..., 0], made[..., 1:], closed, calibration, [], dependence, seed)
    return Prediction(dates[0] - 1, dates, *parts)


def test_shared_store_and_own_parts_are_told_apart():
    chain = Chain(2, shared=0.1, store=0.2, own=0.3)
    _calibration, found = fit_joint([chain.window() for _ in range(20)], KEYS)
    assert sum(found.shared) == pytest.approx(0.1, abs=0.06)
    assert sum(found.store) == pytest.approx(0.2, abs=0.08)
    assert sum(found.product) == pytest.approx(0.0, abs=0.03)
    for own in found.own:
        assert sum(own[1:]) == pytest.approx(0.3, abs=0.08)
    assert (found.windows, found.window_days) == (20, DAYS)


def test_independent_errors_are_found_independent():
    chain = Chain(2, shared=0, store=0, own=0)
    _calibration, found = fit_joint([chain.window() for _ in range(3)], KEYS)
    for part in (found.shared, found.store, found.product, *(own[1:] for own in found.own)):
        assert sum(part) < 0.04


@pytest.mark.slow
@pytest.mark.parametrize("parts", [(0.0, 0.1, 0.2), (0.0, 0.0, 0.4)])
def test_eight_in_ten_sums_of_any_days_and_groups_are_inside(parts):
    chain = Chain(3, *parts)
    calibration, dependence = fit_joint([chain.window() for _ in range(6)], KEYS)
    stores = [np.arange(PRODUCTS) + PRODUCTS * store for store in range(STORES)]
    groups = {"series": [np.array([row]) for row in range(0, len(KEYS), 2)], "store": stores}
    inside: dict[tuple[str, int], list[bool]] = {}
    for trial in range(12):
        actual, raw = chain.window(56)
        prediction = predict(calibration, dependence, raw, trial)
        prediction.keep_sums([rows for part in groups.values() for rows in part])
        for kind, days in [(kind, days) for kind in groups for days in (3, 7, 28, 56)]:
            for rows in groups[kind]:
                _total, low, high = prediction.sum_with_interval(rows, days=range(days))
                sold = actual[rows, :days].sum()
                inside.setdefault((kind, days), []).append(bool(low <= sold <= high))
    for (kind, days), hits in inside.items():
        # a store's range has room for what few windows leave uncertain, and all widen beyond the tested days
        least, most = (0.74, 0.89) if kind == "series" and days <= DAYS else (0.68, 0.98)
        assert least < np.mean(hits) < most, (kind, days)


def test_windows_whose_total_came_out_right_by_luck_promise_no_exact_total():
    level = np.full((100, DAYS), 10.0, np.float32)
    off = np.repeat([[1.0], [-1.0]], 50, axis=0).astype(
        np.float32
    )  # each is 10% off, together they are right
    ends = 10 + 1.5 * SCORES
    raw = np.concatenate([level[..., None], np.tile(ends.astype(np.float32), (100, DAYS, 1))], axis=2)
    keys = [("S", f"P{number}") for number in range(100)]
    _calibration, found = fit_joint([(level + off, raw)] * 3, keys)
    assert sum(found.shared) > 0.001 and sum(found.own[0][1:]) > 0.3


def test_without_a_window_dependence_is_assumed():
    _calibration, found = fit_joint([], KEYS)
    assert found == Dependence() and len(QUANTILE_LEVELS) == len(SCORES)


def test_sales_that_were_zero_throughout_have_nothing_to_measure():
    nothing = np.zeros((len(KEYS), DAYS), np.float32)
    _calibration, found = fit_joint([(nothing, np.zeros((*nothing.shape, 8), np.float32))] * 2, KEYS)
    for part in (found.shared, found.store, found.product, *found.own):
        assert np.isfinite(part).all()
