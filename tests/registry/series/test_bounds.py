from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from registry.series.bounds import daily_bounds
from registry.series.calibration import Calibration
from registry.series.covariates import Encoder, closed_days
from registry.series.ended import expect_rare_sale, find_ended
from registry.series.panel import Panel
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.rollout import forecast_panel, has_reached_bounds
from registry.series.windows import Windows


def make_panel(sales: np.ndarray, closed: np.ndarray | None = None, start: str = "2024-01-01") -> Panel:
    """A panel whose series are shops that sell one product."""
    keys = [(f"S{row}", "P") for row in range(len(sales))]
    closed = np.zeros(sales.shape, bool) if closed is None else closed
    return Panel(np.datetime64(start), keys, sales.astype(np.float32), closed)


def steady(days: int = 600, shops: int = 3, units: float = 20.0) -> np.ndarray:
    return np.random.default_rng(5).poisson(units, (shops, days)).astype(np.float32)


def bounds_of(sales: np.ndarray) -> np.ndarray:
    panel = make_panel(sales)
    return daily_bounds(panel.open_sales, panel.keys, 1.0, Encoder.fit(panel).largest)


class Exploding(nn.Module):
    """Doubles whatever it sees last, every block."""

    def forward(self, batch) -> torch.Tensor:
        last = batch.recent[:, -1:].nan_to_num(1.0)
        return (2 * last)[..., None].expand(len(last), batch.base.shape[1], OUTPUT_COUNT)


def test_a_forecast_that_feeds_on_itself_ends_at_three_times_the_largest_day():
    panel = make_panel(steady())
    forecast, windows = forecast_panel(Exploding(), panel, Encoder.fit(panel), (28, 7, 112))
    largest = panel.sales.max(axis=1)
    assert (forecast.max(axis=(1, 2)) <= 3 * largest).all() and has_reached_bounds(forecast, windows)
    assert not has_reached_bounds(forecast[:, :7] / 2, windows)


def test_one_wild_day_is_no_measure_of_what_a_shop_can_sell():
    sales = steady()
    usual = bounds_of(sales)
    sales[0, 300] = 20_000
    assert np.allclose(bounds_of(sales), usual, rtol=0.2)


def test_a_shop_of_a_few_days_may_sell_what_the_product_sells_elsewhere():
    sales = steady()
    sales[1, :-5] = np.nan
    sales[1, -5:] = 1
    assert bounds_of(sales)[1] == pytest.approx(3 * np.sort(sales[[0, 2]])[:, -4].max())


def test_a_new_shop_has_the_same_bound_alone_and_among_others():
    sales = steady()
    sales[1] = np.nan
    panel = make_panel(sales)
    encoder, alone = Encoder.fit(panel), panel.select_series(np.array([1]))
    among = Windows(panel, encoder, 28, 7).bounds[1]
    assert Windows(alone, encoder, 28, 7).bounds[0] == among > 3 * sales[0].mean()


def test_a_series_that_sells_nothing_for_long_while_its_store_sells_has_ended():
    sales = steady(shops=4)
    sales[0, -90:] = 0
    sales[1, -10:] = 0  # may be out of stock
    sales[2] = np.random.default_rng(1).random(600) < 0.02  # sells every fifty days: 60 without are nothing
    sales[2, -60:] = 0
    assert find_ended(sales).tolist() == [True, False, False, False]


def test_what_sold_nothing_on_these_days_a_year_ago_either_is_out_of_season():
    sales = steady(days=800)
    sales[0, -150:] = 0
    assert find_ended(sales).tolist() == [True, False, False]
    sales[0, -364 - 150 : -364] = 0
    assert find_ended(sales).tolist() == [False] * 3


def test_where_nothing_was_ever_sold_a_sale_is_unlikely_but_possible():
    closed = np.zeros((2, 3), bool)
    closed[0, 1] = True
    sales = np.zeros((2, 300), np.float32)
    sales[1, :250] = np.nan
    forecast = expect_rare_sale(sales, closed)
    assert forecast[0, :, 0] == pytest.approx([1 / 301, 0, 1 / 301])
    assert forecast[0, 0, -1] == pytest.approx(120 / 300) and forecast[1, 0, -1] == 1.0
    assert not forecast[0, 1].any() and not forecast[..., 1:-1].any()


def test_ended_series_neither_move_nor_widen_the_others():
    rng = np.random.default_rng(2)
    keys = [(f"S{row}", "P") for row in range(40)]
    spread = np.array([1.0, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5])

    def windows(ended: int) -> list[tuple[np.ndarray, np.ndarray]]:
        level = np.full((40, 28), 8.0)
        sold = [rng.poisson(level).astype(np.float32) for _window in range(3)]
        for one in sold:
            one[:ended] = 0
        return [(one, (level[..., None] * spread).astype(np.float32)) for one in sold]

    without, with_ended = Calibration.fit(windows(0), keys), Calibration.fit(windows(3), keys)
    assert with_ended.mean == pytest.approx(without.mean, abs=0.01)
    assert np.max(with_ended.factors["95"]) < 3


SUNDAY = 6


@pytest.mark.parametrize(
    ("closed_weeks", "is_closed"),
    [
        (range(52), True),  # always
        (range(48), False),  # open on the last four Sundays
        (range(48, 52), True),  # closed on the last four
        ([51, 49], False),  # two holidays
    ],
)
def test_the_last_weeks_decide_on_which_weekdays_a_store_is_closed(closed_weeks, is_closed):
    closed = np.zeros((1, 364), bool)
    for week in closed_weeks:
        closed[0, 7 * week + SUNDAY] = True
    for start in ("2024-01-01", "2024-01-03"):  # the panel may begin on any weekday
        panel = make_panel(np.ones((1, 364)), closed, start)
        ahead, _assumed = closed_days(panel, 364 + 14)
        assert ahead[0, 364 + SUNDAY] == is_closed and not ahead[0, 364 : 364 + SUNDAY].any()


def test_four_weeks_of_holidays_do_not_close_a_store_for_good():
    closed = np.zeros((1, 364), bool)
    closed[0, SUNDAY::7] = True
    closed[0, -28:] = True
    ahead = closed_days(make_panel(np.ones((1, 364)), closed), 378)[0][0, 364:]
    assert ahead.tolist() == ([False] * 6 + [True]) * 2


def test_prices_never_asked_count_as_the_nearest_that_was():
    sales = steady()
    price = np.broadcast_to(np.where(np.arange(628) % 9, 10.0, 8.0), (3, 628)).astype(np.float32).copy()
    panel = replace(make_panel(sales), known={"price": price})
    encoder = Encoder.fit(panel)
    price[:, 600:] = 1.0
    features, _assumed = encoder.known_features(panel, np.zeros((3, 628), bool))
    assert features[0, 605, -1] == features[0, :600, -1].min() < 0
