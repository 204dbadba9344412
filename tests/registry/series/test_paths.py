"""Sample paths: the same numbers alone and among others, right in every sum, within what can be sold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from registry.series.calibration import Calibration
from registry.series.dependence import Dependence
from registry.series.paths import read_quantiles
from registry.series.prediction import Prediction
from registry.series.quantiles import QUANTILE_LEVELS

KEYS = [(f"S{store}", f"P{product}") for store in range(3) for product in range(5)]
DAYS = 14
SIZES = np.array([0.02, 0.4, 3.0, 25.0, 400.0], np.float32)  # units a day of each product
STEPS = np.array([0.0, 0.3, 0.6, 1.0, 1.3, 1.8, 2.6], np.float32)  # quantiles in units of the level


def predict(is_count: bool = True, seed: int = 0) -> Prediction:
    """Fifteen series of very different sizes; the last day is closed."""
    mean = np.tile(np.tile(SIZES, 3)[:, None], (1, DAYS))
    mean[:, -1] = 0
    quantiles = mean[..., None] * STEPS
    dates = np.datetime64("2026-11-02") + np.arange(DAYS)
    calibration = Calibration(whole=is_count, window_days=28)
    return Prediction(dates[0] - 1, dates, KEYS, mean, quantiles, mean == 0, calibration, [], seed=seed)


@pytest.mark.parametrize("is_count", [True, False])
def test_the_sum_of_the_paths_of_the_parts_is_the_path_of_the_whole(is_count):
    prediction = predict(is_count)
    stores = [np.array([row for row, key in enumerate(KEYS) if key[0] == f"S{s}"]) for s in range(3)]
    *parts, whole = np.moveaxis(prediction.sum_paths([*stores, np.arange(len(KEYS))]), 1, 0)
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-6)
    np.testing.assert_allclose(prediction.draw_paths().sum(axis=1), whole, rtol=1e-6)


def test_a_series_has_the_same_paths_alone_among_others_and_again():
    prediction = predict()
    whole = prediction.draw_paths()
    rows = np.array([7, 2])
    np.testing.assert_array_equal(predict().draw_paths(rows), whole[:, rows])
    cut = replace(prediction, keys=[KEYS[7]], mean=prediction.mean[7:8], quantiles=prediction.quantiles[7:8])
    np.testing.assert_array_equal(cut.draw_paths(), whole[:, 7:8])
    assert (predict(seed=1).draw_paths() != whole).any()
    assert (whole[:, 0] != whole[:, 5]).any()  # the same product in another store


def test_paths_are_whole_units_never_below_zero_and_zero_on_closed_days():
    paths = predict().draw_paths()
    assert paths.shape == (200, len(KEYS), DAYS) and paths.dtype == np.float32
    assert (paths == np.round(paths)).all() and paths.min() == 0
    assert not paths[..., -1].any() and paths[:, 4, :-1].any(axis=1).all()
    assert (predict(is_count=False).draw_paths() % 1).any()


def test_no_path_exceeds_what_a_series_could_sell():
    bounds = np.full(len(KEYS), 30.0, np.float32)
    limited = replace(predict(), bounds=bounds).draw_paths()
    assert limited[:, 2].max() <= 30 < predict().draw_paths(np.array([3])).max()


@pytest.mark.parametrize("is_count", [True, False])
def test_the_mean_of_the_paths_is_the_published_mean(is_count):
    prediction = predict(is_count)
    mean = prediction.draw_paths(count=4000).mean(axis=0)[:, :-1].mean(axis=1)
    few = prediction.mean[:, 0] < 0.1
    assert mean[~few] == pytest.approx(prediction.mean[~few, 0], rel=0.05)
    assert mean[few] == pytest.approx(prediction.mean[few, 0], rel=0.2)


def test_paths_of_one_day_follow_its_published_quantiles():
    prediction = predict(is_count=False)
    drawn = np.quantile(prediction.draw_paths(np.array([4]), 4000)[:, 0, :-1], QUANTILE_LEVELS)
    # moved as a whole towards the published mean, by a few percent
    assert drawn[1:] == pytest.approx(prediction.quantiles[4, 0, 1:], rel=0.15)


def test_a_few_days_have_a_range_of_their_own_wider_in_proportion():
    prediction = predict()
    total, low, high = prediction.sum_with_interval(np.array([4]))
    few, few_low, few_high = prediction.sum_with_interval(np.array([4]), days=range(3))
    assert total == pytest.approx(13 * 400) and few == pytest.approx(3 * 400)
    assert (few_high - few_low) / few > (high - low) / total > 0
    week = prediction.week_quantiles(np.array([4]))
    first = prediction.sum_with_interval(np.array([4]), days=slice(0, 7))
    assert len(week) == 2 and (first[1], first[2]) == pytest.approx((week[0][1], week[0][5]))


def test_the_range_of_a_total_is_narrower_than_the_sum_of_the_ranges_of_its_parts():
    prediction, rows = predict(), np.arange(len(KEYS))
    _total, low, high = prediction.sum_with_interval()
    parts = np.array([prediction.sum_with_interval(np.array([row])) for row in rows])
    assert high - low < (parts[:, 2] - parts[:, 1]).sum()
    assert low < prediction.mean.sum() < high


def test_what_earlier_releases_did_not_measure_is_assumed_to_depend_more():
    measured = Dependence(
        shared=[0.0] * 5, store=[0.0] * 5, product=[0.0] * 5, own=[[1.0, 0, 0, 0, 0]] * 3, windows=3
    )
    assumed, known = predict(), replace(predict(), dependence=measured)
    assert Dependence().windows == 0

    def width(prediction: Prediction) -> float:
        _total, low, high = prediction.sum_with_interval()
        return high - low

    assert width(assumed) > 1.5 * width(known)


def test_the_range_of_small_counts_holds_what_it_promises_and_no_more():
    rng = np.random.default_rng(3)
    for units in (0.5, 2.0, 6.0):
        ends = read_quantiles(rng.poisson(units, (500, 200)).astype(np.float32), True, (0.1, 0.9))
        new = rng.poisson(units, 500)
        inside = ((new >= ends[:, 0]) & (new <= ends[:, 1])).mean()
        assert inside == pytest.approx(0.8, abs=0.11)


def test_sums_that_are_asked_for_together_are_drawn_once(monkeypatch):
    prediction = predict()
    groups = [np.array([row]) for row in range(5)]
    prediction.keep_sums(groups)
    monkeypatch.setattr(Prediction, "sampler", lambda *_given: pytest.fail("drawn again"))
    assert all(prediction.sum_with_interval(rows)[2] >= 0 for rows in groups)
