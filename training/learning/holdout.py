"""Holdout: the newest days that no candidate has learned from, and the scores on them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from registry.series import metrics
from registry.series.calibration import HoldoutForecast
from registry.series.error_breakdown import SCORED_PATHS, HoldoutWindow, error_breakdown
from registry.series.joint import fit_joint
from registry.series.panel import Floats, Panel
from registry.series.paths import PathSampler
from registry.series.quantiles import QUANTILE_LEVELS
from training.learning.defaults import WEEK
from training.learning.ensemble import WindowForecasts, weighted_mean

MAX_OVERLAPPING_CELLS = 250_000  # series x days of all overlapping windows; a few seconds


@dataclass
class Holdout:
    """Windows of `horizon` days at the end of a panel."""

    panel: Panel
    columns: range  # first column of each window
    horizon: int

    def __post_init__(self) -> None:
        self.scored: list[HoldoutWindow] = []  # set by score_forecasts
        self.actuals = [actual_sales(self.panel, column, self.horizon) for column in self.columns]

    @classmethod
    def cut(cls, panel: Panel, windows: int, horizon: int) -> Holdout:
        """The last windows of the panel."""
        return cls(panel, range(panel.days - windows * horizon, panel.days, horizon), horizon)

    def origin(self, index: int) -> np.datetime64:
        """The last known day of a window."""
        return self.panel.start + np.timedelta64(self.columns[index] - 1, "D")

    @property
    def first(self) -> int:
        """The first column that is held back."""
        return self.columns[0]

    @property
    def overlapping(self) -> list[int]:
        """First columns of further windows within the held-back days, as many as are cheap to forecast."""
        cells = len(self.panel.keys) * self.horizon
        last = self.columns[-1]
        for step in range(WEEK, last - self.first, WEEK):
            found = [column for column in range(self.first, last, step) if column not in self.columns]
            if len(found) * cells <= MAX_OVERLAPPING_CELLS:
                return found
        return []

    def score_forecasts(
        self, forecasts: list[WindowForecasts], window_weights: list[list[float]]
    ) -> dict[str, Any]:
        """The metrics of a blend of forecasts [candidate][window] [S, H, Q].

        Each window is weighed and calibrated by the others, or its scores would flatter.
        """
        windows, naive, sold, trials = [], [], [], []
        sales = self.panel.open_sales
        for index, (column, actual) in enumerate(zip(self.columns, self.actuals, strict=True)):
            weights = window_weights[index]
            rest = [i for i in range(len(self.actuals)) if i != index]  # none: nothing to calibrate on
            held = [weighted_mean([[one[i]] for one in forecasts], weights)[0] for i in rest]
            others: list[HoldoutForecast] = [(self.actuals[i], held[at]) for at, i in enumerate(rest)]
            raw = weighted_mean([[one[index]] for one in forecasts], weights)[0]
            calibration, dependence = fit_joint(others, self.panel.keys)
            forecast = calibration.calibrate_forecast(raw)
            mean, quantiles, day = forecast[..., 0], forecast[..., 1:], str(self.origin(index))
            how = (dependence, calibration.whole, day, SCORED_PATHS)
            sampler = PathSampler(self.panel.keys, mean, quantiles, *how)
            trials.append(HoldoutWindow(actual, mean, quantiles, sampler))
            past = sales[:, :column]
            windows.append({"origin": day} | metrics.score_window(actual, mean, quantiles, past))
            repeated = metrics.repeat_last_week(past, self.horizon)
            # a forecast without intervals: all its quantiles equal the point
            points = np.repeat(repeated[..., None], len(QUANTILE_LEVELS), axis=2)  # [S, H, Q - 1]
            naive.append(metrics.score_window(actual, repeated, points, past))
            sold.append(float(np.nansum(actual)))
        self.scored = trials
        result = metrics.aggregate_scores(windows, sold)
        result |= {"seasonal_naive": metrics.aggregate_scores(naive, sold), "windows": windows}
        return result | error_breakdown(trials, self.panel.keys, sales[:, : self.first])


def actual_sales(panel: Panel, column: int, days: int) -> Floats:
    """Sales of the days from `column`: [S, days], NaN where closed, unknown or not yet listed."""
    part = slice(column, column + days)
    return np.where(panel.closed[:, part], np.float32(np.nan), panel.sales[:, part])
