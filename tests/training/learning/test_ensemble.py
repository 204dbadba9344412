"""A blend forecasts only when it errs no more than each of its members on the same days."""

from __future__ import annotations

import numpy as np
import pytest

from training.learning.ensemble import choose_ensemble, judged_error, weighted_mean, window_wape


def spread(point):
    """Forecasts whose mean and quantiles all equal the point: [S, H, 8]."""
    return np.repeat(point[..., None], 8, axis=2)


@pytest.fixture
def actual():
    return np.random.default_rng(1).uniform(10, 20, (5, 14))


@pytest.fixture
def miss():
    return np.random.default_rng(2).normal(0, 3, (5, 14))


def test_opposite_errors_are_blended_and_a_bad_method_is_left_out(actual, miss):
    bad = spread(actual * 3)
    choice = choose_ensemble([[spread(actual + miss)], [spread(actual - miss)], [bad]], [actual])
    assert choice.weights == pytest.approx([0.5, 0.5, 0], abs=0.11) and choice.is_blend
    assert choice.blend_error < choice.single_error
    assert choose_ensemble([[spread(actual + miss)], [bad]], [actual]).weights == [1.0, 0.0]


def test_a_method_that_errs_alike_and_more_adds_nothing(actual, miss):
    choice = choose_ensemble([[spread(actual + miss)], [spread(actual + 1.3 * miss)]], [actual])
    assert choice.weights == [1.0, 0.0] and not choice.is_blend and choice.single == 0
    assert choice.blend_error > choice.single_error == window_wape([spread(actual + miss)], [actual])


def test_the_better_of_two_that_help_each_other_weighs_more(actual, miss):
    good, other = [spread(actual + miss)], [spread(actual - 1.1 * miss)]
    first, second = choose_ensemble([good, other], [actual]).weights
    assert first > 0.5 and second == pytest.approx(1 - first)


def test_repeating_last_week_is_never_blended_but_may_be_the_best(actual, miss):
    good, other = [spread(actual + miss)], [spread(actual - 1.1 * miss)]
    assert choose_ensemble([good, other], [actual], excluded=[1]).weights == [1.0, 0.0]
    bad = [spread(actual * 3)]
    assert choose_ensemble([good, bad], [actual], excluded=[0]).weights == [1.0, 0.0]
    assert choose_ensemble([good, bad], [actual], excluded=[0, 1]).weights == [1.0, 0.0]


@pytest.mark.parametrize("seed", range(20))
def test_a_blend_is_never_worse_than_its_best_member_on_the_same_days(seed):
    rng = np.random.default_rng(seed)
    actual = [rng.poisson(5, (4, 7)).astype(float) for _window in range(3)]
    scale = rng.uniform(0.2, 3, 5)
    forecasts = [[np.abs(spread(one + rng.normal(0, size, one.shape))) for one in actual] for size in scale]
    choice = choose_ensemble(forecasts, actual, excluded=[4])
    blended = [
        weighted_mean([[one[window]] for one in forecasts], choice.window_weights[window])[0]
        for window in range(3)
    ]
    members = [place for place, weight in enumerate(choice.weights) if weight > 0]
    assert sum(choice.weights) == pytest.approx(1)
    assert window_wape(blended, actual) <= min(window_wape(forecasts[m], actual) for m in members) + 1e-12
    assert judged_error(blended, actual) <= min(judged_error(one, actual) for one in forecasts) + 1e-12
    if choice.is_blend:
        assert choice.blend_error == pytest.approx(window_wape(blended, actual))


def test_a_window_is_weighted_by_the_errors_on_the_others(actual, miss):
    one, other = [actual + miss, actual + 0.9 * miss], [actual - 0.9 * miss, actual - miss]
    choice = choose_ensemble([[spread(a) for a in one], [spread(a) for a in other]], [actual, actual])
    first, second = choice.window_weights
    assert choice.is_blend and choice.weights == pytest.approx([0.5, 0.5], abs=0.01)
    assert first[0] > first[1] and second[0] < second[1]


def test_where_nothing_was_sold_the_nearest_to_nothing_is_chosen():
    actual = [np.zeros((2, 7))]
    near, far = [spread(np.full((2, 7), 0.5))], [spread(np.full((2, 7), 2.5))]
    assert choose_ensemble([far, near], actual).weights == [0.0, 1.0]
