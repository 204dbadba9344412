"""Out of season, a closed branch, products that ended: every algorithm trains and is back-tested."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from registry import algorithms
from registry.series.panel import Floats, Panel
from tests.helpers.trials import repeats
from training.learning.backtest import choose_origins, run_backtest, summarize_windows
from training.learning.pipeline import TrainingConfig, TrainingPipeline, TrainingResult

pytestmark = pytest.mark.slow
HORIZON, START = 7, np.datetime64("2024-01-01")
NETWORKS = [
    entry.name
    for entry in algorithms.list_algorithms()
    if issubclass(entry.config_class, algorithms.NetworkConfig)
]
OTHERS = [entry.name for entry in algorithms.list_algorithms() if entry.name not in NETWORKS]
# One network and what is no network; the others learn in the same loop.
NAMES = [
    pytest.param(name, marks=() if name in {*OTHERS, "kan"} else repeats) for name in (*OTHERS, *NETWORKS)
]
SILENT_DAYS = 90  # since which three of forty products have ended
PRODUCTS, ENDED = 40, 3
# After so few steps the totals of a network differ by several percent between seeds, whatever has ended.
MOST_MOVED = dict.fromkeys(NETWORKS, 0.1)


def plan(name: str) -> TrainingConfig:
    """Ends by its steps, not by the clock."""
    knobs = {"trees": {"steps": 20, "rows": 8000}, "seasonal_naive": {}, "pooled_smoothing": {"steps": 20}}
    small = {"steps": 25, "batch": 64} if name in NETWORKS else {}
    return TrainingConfig(name, knobs.get(name, small), horizon=HORIZON, budget=600, windows=2)


def learn(panel: Panel, name: str) -> TrainingResult:
    learning = TrainingPipeline(panel, plan(name))
    list(learning)
    json.dumps(learning.result.metrics, allow_nan=False)
    return learning.result


def backtest(panel: Panel, name: str) -> dict:
    windows = list(run_backtest(panel, plan(name), choose_origins(panel, HORIZON, 1, HORIZON)))
    return json.loads(json.dumps(summarize_windows(windows), allow_nan=False))


def build_panel(sales: Floats, closed=None) -> Panel:
    """A product, or several, in one store each; what is closed has no record."""
    shut = np.zeros(sales.shape, bool) if closed is None else closed
    keys = [(f"S{row % 4}", f"P{row:02}") for row in range(len(sales))]
    return Panel(START, keys, np.where(shut, np.float32(np.nan), sales), shut)


@cache
def sunscreen() -> Panel:
    """Two products that sell from May to August only; known up to the second February."""
    days = START + np.arange(410 + 365)
    month = days.astype("datetime64[M]").astype(int) % 12
    level = np.where((month >= 4) & (month <= 7), 12.0, 0.0)
    return build_panel(np.random.default_rng(5).poisson(level, (2, len(days))).astype(np.float32))


@cache
def closed_branch() -> Panel:
    """Twelve series, the first two of which are in a branch that closed 120 days ago."""
    rng = np.random.default_rng(6)
    sales = rng.poisson(rng.uniform(3, 30, (12, 1)), (12, 420)).astype(np.float32)
    closed = np.zeros(sales.shape, bool)
    closed[:2, -120:] = True
    return build_panel(sales, closed)


@cache
def ended(count: int) -> Panel:
    """The products, of which the last ones sell nothing any more: `count` of them, 0 = they are left out."""
    rng = np.random.default_rng(7)
    days = np.arange(420)
    level = np.exp(rng.uniform(np.log(4), np.log(15), (PRODUCTS, 1)))
    sales = rng.poisson(level * (1 + 0.3 * np.sin(2 * np.pi * days / 7))).astype(np.float32)
    sales[PRODUCTS - ENDED :, -SILENT_DAYS:] = 0
    return build_panel(sales[: PRODUCTS - ENDED + count])


@pytest.mark.parametrize("name", NAMES)
def test_out_of_season_next_to_nothing_is_forecast_with_room_above(name):
    result = learn(sunscreen(), name)
    made = result.bundle.forecast(sunscreen(), HORIZON)
    assert result.metrics["wape"] is None, "nothing was sold in the test days"
    assert np.isfinite(made.quantiles).all() and made.mean.min() >= 0 and made.mean.max() < 1
    assert backtest(sunscreen(), name)["overall"]["wape"] is None


@pytest.mark.parametrize("name", NAMES)
def test_a_branch_that_is_closed_for_120_days_stops_neither_training_nor_backtest(name):
    panel = closed_branch()
    made = learn(panel, name).bundle.forecast(panel, HORIZON)
    largest = np.nanmax(panel.sales, axis=1)
    assert np.isfinite(made.mean).all() and (made.mean.max(axis=1) <= 3 * largest).all()
    assert backtest(panel, name)["overall"]["wape"] < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_products_that_ended_neither_move_nor_widen_the_others(name):
    with_ended, without = (learn(ended(count), name).bundle for count in (ENDED, 0))
    made, alone = (
        bundle.forecast(ended(count), HORIZON).mean[: PRODUCTS - ENDED]
        for bundle, count in ((with_ended, ENDED), (without, 0))
    )
    assert made.sum() == pytest.approx(alone.sum(), rel=MOST_MOVED.get(name, 0.02))
    width, width_alone = (np.max(bundle.calibration.factors["95"]) for bundle in (with_ended, without))
    assert width < max(3, 1.2 * width_alone), "ranges that were hardly learned are wide with and without"
    assert with_ended.forecast(ended(ENDED), HORIZON).mean[PRODUCTS - ENDED :].max() == 0
    assert backtest(ended(ENDED), name)["overall"]["wape"] < 0.6
