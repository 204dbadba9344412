"""Every algorithm on sales that are 0: all of them, those of the test days, or those of one product."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from registry import algorithms
from registry.series import metrics
from registry.series.panel import Panel
from tests.helpers.trials import repeats
from training.events import RunEvent
from training.learning.backtest import choose_origins, run_backtest, summarize_windows
from training.learning.pipeline import TrainingConfig, TrainingPipeline
from training.learning.progress import Progress

ENTRIES = algorithms.list_algorithms()
NAMES = [entry.name for entry in ENTRIES]
NETWORKS = [entry.name for entry in ENTRIES if issubclass(entry.config_class, algorithms.NetworkConfig)]
KINDS = {*NAMES} - {*NETWORKS[1:]}  # all networks learn in one loop
DAYS, USUAL, HORIZON = 84, 5, 7


def sales_frame(first_zero: int, end_zero: int = DAYS, products: str = "AB") -> pd.DataFrame:
    """Two products that sell about USUAL a day, but nothing from one day to another."""
    days = pd.date_range("2026-01-01", periods=DAYS)
    frame = pd.MultiIndex.from_product(
        [days, ["S1"], ["A", "B"]], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    frame["sales"] = np.random.default_rng(1).poisson(USUAL, len(frame)).astype(float)
    number = (frame["date"] - days[0]).dt.days
    silent = (number >= first_zero) & (number < end_zero) & frame["product_id"].isin(list(products))
    frame.loc[silent, "sales"] = 0.0
    return frame


CASES = {
    "all zeros": sales_frame(0),
    "zeros in the test days": sales_frame(DAYS - 3 * HORIZON),
    "zeros in the last test": sales_frame(DAYS - HORIZON),
    "zeros in the learning days": sales_frame(0, DAYS - HORIZON),
    "a product that never sold": sales_frame(0, products="B"),
}


# Every kind meets every case, every network sales of nothing but 0; the repeats bring the other pairs.
PAIRS = [
    pytest.param(name, case, marks=() if name in KINDS or case == "all zeros" else repeats)
    for name in NAMES
    for case in CASES
]


def plan(name: str) -> TrainingConfig:
    """Few steps."""
    knobs = {} if name == "auto" else {"steps": 5}
    return TrainingConfig(name, knobs, horizon=HORIZON, budget=2 if name == "auto" else 20)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "case"), PAIRS)
def test_sales_of_zero_give_a_version_and_a_forecast_and_no_figure_that_json_lacks(name, case):
    panel = Panel.from_frame(CASES[case], {})
    learning = TrainingPipeline(panel, plan(name))
    signs = list(learning)
    scores = learning.result.metrics
    json.dumps(scores, allow_nan=False)
    for event in [event for sign in signs for event in RunEvent.from_progress(sign)]:
        json.dumps(event.data, allow_nan=False)
        assert event.text.format(**event.data) or event.kind == RunEvent.Kind.EPOCH
    assert max(sign.check_error or 0 for sign in signs) < 1000, "an error over sales of almost nothing"
    forecast = learning.result.bundle.forecast(panel, HORIZON).mean
    assert np.isfinite(forecast).all() and forecast.min() >= 0
    if case == "all zeros":
        assert scores["wape"] is None and forecast.max() < 0.3
    if case == "zeros in the test days":
        assert scores["wape"] is None and scores["leaderboard"][0]["wape"] is None
    if case == "zeros in the last test":
        assert scores["wape"] is not None and scores["windows"][-1]["wape"] is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in KINDS else repeats) for name in NAMES]
)
def test_a_backtest_scores_the_windows_with_sales_and_leaves_out_the_others(name):
    panel = Panel.from_frame(CASES["zeros in the last test"], {})
    windows = list(run_backtest(panel, plan(name), choose_origins(panel, HORIZON, 2, HORIZON)))
    report = json.loads(json.dumps(summarize_windows(windows), allow_nan=False))
    assert [window["wape"] is None for window in report["windows"]] == [False, True]
    assert report["overall"]["wape"] == pytest.approx(report["windows"][0]["wape"])
    empty = Panel.from_frame(CASES["all zeros"], {})
    report = summarize_windows(list(run_backtest(empty, plan(name), [empty.origin - HORIZON])))
    assert report["overall"]["wape"] is None and report["leaderboard"][0]["wape"] is None


def test_days_without_any_record_give_no_warning(recwarn):
    unknown = np.full((2, 3), np.nan, np.float32)
    scores = metrics.score_window(unknown, np.zeros((2, 3)), np.zeros((2, 3, 7)), unknown)
    assert all(value is None for value in metrics.replace_nan(scores)["coverage"].values())
    assert not recwarn.list


def test_a_line_of_a_round_without_sales_says_why_it_has_no_error():
    sign = Progress("learn", text="{method}: no error", values={"method": "kan"}, round=1)
    assert [event.kind for event in RunEvent.from_progress(sign)] == ["log"]
