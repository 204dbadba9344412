"""Backtest: for several past origins, learn from nothing later than the origin and forecast. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from registry.lib.errors import MessageError, gettext_noop
from registry.series import metrics
from registry.series.error_breakdown import SCORED_PATHS, HoldoutWindow, error_breakdown
from registry.series.panel import Floats, Panel
from registry.series.prediction import Prediction
from training.learning.holdout import actual_sales
from training.learning.pipeline import TrainingConfig, TrainingPipeline


@dataclass(frozen=True)
class BacktestWindow:
    """One refit and its forecast, beside the actual sales."""

    prediction: Prediction
    actual: Floats  # [S, H], NaN where closed, unknown or not yet listed
    past: Floats  # [S, D], NaN where closed, unknown or not yet listed
    scores: dict[str, Any]
    leaderboard: list[dict[str, Any]]  # errors of the candidates on the holdout windows of this refit
    fit_seconds: float
    forecast_seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per series and day: origin, date, store_id, product_id, actual, mean and the quantiles."""
        frame = self.prediction.to_frame()
        frame.insert(4, "actual", self.actual.ravel())
        return frame

    @property
    def holdout_window(self) -> HoldoutWindow:
        """The window as the error breakdown needs it."""
        made = self.prediction
        return HoldoutWindow(self.actual, made.mean, made.quantiles, made.sampler(SCORED_PATHS))


def choose_origins(
    panel: Panel, horizon: int, windows: int, step: int, last_origin: str = ""
) -> list[np.datetime64]:
    """The last known day of each window, oldest first; raises MessageError if they do not fit the sales."""
    newest = np.datetime64(last_origin, "D") if last_origin else panel.origin - np.timedelta64(horizon, "D")
    days = [newest - np.timedelta64(step * back, "D") for back in reversed(range(windows))]
    if newest + np.timedelta64(horizon, "D") > panel.origin:
        raise MessageError(
            gettext_noop(
                "The window after {day} needs sales up to {last}, but they end on {end}: choose an earlier "
                "last origin."
            ),
            day=str(newest),
            last=str(newest + np.timedelta64(horizon, "D")),
            end=str(panel.origin),
        )
    if days[0] <= panel.start:
        raise MessageError(
            gettext_noop(
                "The first window would start on {day}, before the sales ({first}): choose fewer windows."
            ),
            day=str(days[0]),
            first=str(panel.start),
        )
    return days


def run_backtest(
    panel: Panel, training_config: TrainingConfig, origins: list[np.datetime64]
) -> Iterator[BacktestWindow]:
    """Yields a window per origin, each learned anew with the budget of the config."""
    for day in origins:
        started = time.monotonic()
        learning = TrainingPipeline(panel.as_of(day), training_config)
        for _epoch in learning:
            continue
        learned = time.monotonic()
        seen = panel.as_of(day)  # again, so that preparing it counts as forecasting
        prediction = learning.result.bundle.forecast(seen, training_config.horizon)
        done = time.monotonic()
        column = seen.days
        actual = actual_sales(panel, column, training_config.horizon)
        past = seen.open_sales
        scores = {"origin": str(day)} | metrics.score_window(
            actual, prediction.mean, prediction.quantiles, past
        )
        board = learning.result.metrics["leaderboard"]
        yield BacktestWindow(prediction, actual, past, scores, board, learned - started, done - learned)


def summarize_windows(windows: list[BacktestWindow]) -> dict[str, Any]:
    """The JSON that `manage.py backtest` prints."""
    sold = [float(np.nansum(window.actual)) for window in windows]
    report = {
        "windows": [window.scores for window in windows],
        "overall": metrics.aggregate_scores([window.scores for window in windows], sold),
        "seconds": {
            "fit": sum(window.fit_seconds for window in windows),
            "forecast": sum(window.forecast_seconds for window in windows),
        },
        "leaderboard": _mean_leaderboard(windows),
        **error_breakdown(
            [window.holdout_window for window in windows], windows[0].prediction.keys, windows[0].past
        ),
    }
    result: dict[str, Any] = metrics.replace_nan(report)
    return result


def _mean_leaderboard(windows: list[BacktestWindow]) -> list[dict[str, Any]]:
    """Mean error of each candidate over the refits that have one, best first."""
    found: dict[str, list[float]] = {}
    for window in windows:
        for row in window.leaderboard:
            errors = found.setdefault(row["algorithm"], [])
            errors += [] if row["wape"] is None else [row["wape"]]
    return metrics.rank_by_error(
        {name: sum(errors) / len(errors) if errors else float("nan") for name, errors in found.items()}
    )
