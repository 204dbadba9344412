"""When sales have moved away from a forecast, and when season, promotions or chance explain it."""

from __future__ import annotations

import numpy as np
import pytest

from prediction.level import DailyLevel, measure_level_change

WEEK = np.array([8.0, 9.0, 10.0, 10.0, 13.0, 15.0, 5.0]) * 3


def level(past, mean, usual=None, width=0.1):
    total = mean.sum()
    usual = np.ones(len(past) + len(mean), bool) if usual is None else usual
    interval = (total, total * (1 - width), total * (1 + width))
    return DailyLevel(past, mean, usual[: len(past)], usual[len(past) :], interval)


def weeks(count: int, factor: float = 1.0):
    return np.tile(WEEK, count) * factor


@pytest.mark.parametrize(("factor", "change"), [(2.0, 1.0), (0.5, -0.5), (1.2, None), (1.0, None)])
def test_two_weeks_that_sell_clearly_more_or_less_have_moved(factor, change):
    past = np.concatenate([weeks(30), weeks(3, factor)])
    found = measure_level_change(level(past, weeks(4)))
    assert (found and found.change) == (change and pytest.approx(change))
    assert found is None or found.days == 14


def test_a_season_that_last_year_had_too_is_no_move():
    ahead = weeks(4, 0.5)
    past = np.concatenate([weeks(62), weeks(4, 0.5), weeks(48)])  # last year they sold half as well
    assert measure_level_change(level(past, ahead)) is None
    assert measure_level_change(level(weeks(114), ahead)).change == pytest.approx(1.0)


def test_promotions_and_closed_days_are_not_compared():
    past = np.concatenate([weeks(30), weeks(2, 2.0)])
    usual = np.ones(len(past) + 28, bool)
    usual[len(past) - 14 : len(past)] = False  # the doubled weeks are a promotion
    assert measure_level_change(level(past, weeks(4), usual)) is None
    past[-6:] = 0.0
    usual[len(past) - 14 : len(past)] = True
    usual[len(past) - 6 : len(past)] = False  # closed for six days
    assert measure_level_change(level(past, weeks(4), usual)).change == pytest.approx(1.0)


def test_small_counts_and_wide_ranges_explain_a_difference():
    rare = np.zeros(364)
    rare[::14] = 1.0
    burst = np.concatenate([rare, np.tile([1.0, 0, 0, 0, 1.0, 0, 0], 2)])
    assert measure_level_change(level(burst, np.full(28, 1 / 14), width=0.3)) is None
    past = np.concatenate([weeks(30), weeks(2, 1.4)])
    assert measure_level_change(level(past, weeks(4), width=0.4)) is None
    assert measure_level_change(level(past, weeks(4), width=0.05)) is not None


def test_short_forecasts_are_compared_with_the_same_weekdays():
    past = np.concatenate([weeks(30), weeks(4, 2.0)])
    assert measure_level_change(level(past, WEEK[:2])).change == pytest.approx(1.0)
    assert measure_level_change(level(past, 2 * WEEK[:2])) is None


def test_nothing_known_or_nothing_expected_says_nothing():
    assert measure_level_change(level(np.full(100, np.nan), weeks(4))) is None
    assert measure_level_change(level(weeks(10), np.zeros(28))) is None
    assert measure_level_change(level(WEEK[:3], weeks(4))) is None


def test_a_small_pair_that_doubles_is_mostly_told_and_one_that_stays_hardly_ever():
    """Three units a day with more scatter than chance alone: 14 days of twice as many, 200 pairs each."""
    told = {1: 0, 2: 0}
    usual, chance = np.ones(420, bool), np.random.default_rng(3)
    for factor in told:
        for _pair in range(200):
            rate = chance.gamma(3.3, 3 / 3.3, 420)
            rate[-14:] *= factor
            past = chance.poisson(rate).astype(float)
            ahead = np.full(28, past[-134:-14].mean())
            spread = 1.28 * np.sqrt(28 * (3 + 9 / 3.3))
            interval = (ahead.sum(), ahead.sum() - spread, ahead.sum() + spread)
            told[factor] += (
                measure_level_change(DailyLevel(past, ahead, usual, usual[:28], interval)) is not None
            )
    assert told[1] <= 6 and told[2] >= 130, told
