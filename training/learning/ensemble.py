"""Ensemble: a blend of the candidates, or the best one where the blend is clearly worse. Pure.

Weights by the inverse of the error on the holdout windows, after Bates and Granger, "The Combination of
Forecasts" (1969). The winner on a few windows may just suit these days; a blend errs less on the next ones.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from registry.series import metrics
from registry.series.panel import Floats
from registry.series.quantiles import MEDIAN_INDEX, is_count_data, round_median

MAX_ERROR_RATIO = 1.4  # times the lowest error, above which a candidate is left out
ERROR_POWER = 3  # of the errors in the weights: one and a half times the error weighs less than a third
SINGLE_MARGIN = 0.06  # a single candidate must beat the blend by this share to forecast alone
WindowForecasts = list[Floats]  # one array per holdout window


def ensemble_weights(
    forecasts: list[WindowForecasts], actual: WindowForecasts, excluded: Collection[int] = ()
) -> list[float]:
    """One weight per candidate, summing to 1; forecasts [candidate][window] [S, H, Q], actual [window].

    The candidates at `excluded`, such as repeating last week, are never part of a blend.
    """
    errors = np.array([_combined_error(windows, actual) for windows in forecasts])
    together = np.array([place not in excluded for place in range(len(errors))])
    lowest = max(float(errors[together].min(initial=np.inf)), 1e-9)
    near = together & (errors <= MAX_ERROR_RATIO * lowest)
    if near.any():
        shares = np.where(near, (lowest / np.maximum(errors, lowest)) ** ERROR_POWER, 0.0)
        weights = [float(share / shares.sum()) for share in shares]
        if _combined_error(weighted_mean(forecasts, weights), actual) * (1 - SINGLE_MARGIN) <= errors.min():
            return weights
    return [float(place == errors.argmin()) for place in range(len(errors))]


def weighted_mean(forecasts: list[WindowForecasts], weights: list[float]) -> WindowForecasts:
    """The weighted mean of the candidates' forecasts, window by window."""
    windows = range(len(forecasts[0]))
    return [
        np.sum([np.float32(w) * f[i] for f, w in zip(forecasts, weights, strict=True) if w > 0], axis=0)
        for i in windows
    ]


def _combined_error(forecasts: WindowForecasts, actual: WindowForecasts) -> float:
    """WAPE of the median plus wQL of all quantiles, over all windows; in units where nothing was sold."""
    forecast, known = np.stack(forecasts), np.stack(actual)  # [W, S, H, Q], [W, S, H]
    forecast = round_median(forecast) if is_count_data(known) else forecast
    if not np.nansum(np.abs(known)):  # no share of sales exists, but the nearest to 0 is still the best
        return float(np.nansum(np.where(np.isnan(known), np.nan, np.abs(forecast[..., 1:]).mean(axis=-1))))
    return metrics.wape(known, forecast[..., 1 + MEDIAN_INDEX]) + metrics.wql(known, forecast[..., 1:])
