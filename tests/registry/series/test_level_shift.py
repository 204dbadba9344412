"""A level that changed for good is found, and networks forget the days before; seasons, spikes are none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from registry.series.covariates import Encoder
from registry.series.level_shift import find_level_shifts
from registry.series.panel import Panel
from registry.series.rollout import build_windows, find_shifts, roll_forward

DAYS = 800
WEEK = 1 + 0.3 * np.sin(2 * np.pi * np.arange(DAYS) / 7)


def sell(level: np.ndarray | float) -> np.ndarray:
    """One series with a weekly rhythm: [1, DAYS]."""
    return (np.broadcast_to(level, DAYS) * WEEK)[None].astype(np.float32)


def since(days: int, before: float, after: float) -> np.ndarray:
    """A level that is another one on the last so many days."""
    return np.where(np.arange(DAYS) < DAYS - days, before, after)


@pytest.mark.parametrize(("before", "after"), [(40, 400), (400, 40), (20, 70), (400, 0)])
@pytest.mark.parametrize("days", [28, 33, 40, 90])
def test_a_level_that_lasts_four_weeks_is_found_within_a_week(before, after, days):
    (column,) = find_level_shifts(sell(since(days, before, after)))
    assert abs(column - (DAYS - days)) <= 7


@pytest.mark.parametrize(
    "level",
    [
        since(20, 40, 400),  # not long enough to tell
        since(60, 40, 100),  # not by a factor of three
        since(0, 40, 40),
        np.where(np.arange(DAYS) == DAYS - 30, 40_000, 40),  # one day
        np.where(np.arange(DAYS) % 365 > 300, 400, 40),  # the same every year
        since(60, 0.1, 0.9),  # less than one unit
        np.where((np.arange(DAYS) > DAYS - 200) & (np.arange(DAYS) < DAYS - 40), np.nan, 40),  # closed
    ],
    ids=["young", "small", "none", "spike", "season", "rare", "closed"],
)
def test_everything_else_is_no_shift(level):
    assert find_level_shifts(sell(level)).tolist() == [0]


def test_of_two_shifts_the_newer_counts():
    (column,) = find_level_shifts(sell(np.where(np.arange(DAYS) < DAYS - 77, 20, since(35, 80, 320))))
    assert abs(column - (DAYS - 35)) <= 7


def test_a_season_of_last_year_is_no_shift_though_its_height_differs():
    days = np.arange(DAYS)
    assert (
        find_level_shifts(
            sell(np.where(days >= DAYS - 50, 400, np.where(abs(days - (DAYS - 390)) < 25, 90, 40)))
        )
        == 0
    )


class Level(torch.nn.Module):
    """Forecasts the mean of all recorded days that it sees."""

    def forward(self, batch):
        seen = batch.recent.nanmean(dim=1)[:, None, None]
        return seen.expand(-1, batch.base.shape[1], 8)


class Trees(Level):
    """The same with a `fit` of its own: it has learned without hidden days."""

    def fit(self, sampler, seconds): ...


def test_a_network_does_not_see_the_days_before_the_shift():
    sales = np.concatenate([sell(since(30, 400, 40)), sell(40)])
    panel = Panel(np.datetime64("2024-01-01"), [("S1", "P"), ("S2", "P")], sales, np.zeros(sales.shape, bool))
    encoder = Encoder.fit(panel)
    sizes, rows = [(56, 7)], slice(0, 2)
    network = roll_forward(Level(), build_windows(panel, encoder, sizes, 7), 7)[rows, 0, 0]
    np.testing.assert_allclose(network, 40, rtol=0.1)
    trees = roll_forward(Trees(), build_windows(panel, encoder, sizes, 7), 7)[rows, 0, 0]
    assert trees[0] > 150 and abs(trees[1] - 40) < 4


def test_models_of_release_0_1_and_panels_without_a_shift_hide_nothing():
    sales = sell(since(30, 400, 40))
    panel = Panel(np.datetime64("2024-01-01"), [("S1", "P")], sales, np.zeros(sales.shape, bool))
    old = replace(Encoder.fit(panel), tells_unknown=False)
    assert find_shifts(Level(), build_windows(panel, old, [(56, 7)], 7)) is None
    level = replace(panel, sales=sell(40))
    assert find_shifts(Level(), build_windows(level, Encoder.fit(level), [(56, 7)], 7)) is None
