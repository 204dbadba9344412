"""Who forecasts: a blend of the candidates, or the best one where the blend does clearly worse. Pure.

Weights by the inverse of the error on the held-back windows, after Bates and Granger, "The Combination of
Forecasts" (1969). Picking what did best on a few windows picks what suited these days: the blend is less
often wrong about the next ones.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from registry.series import metrics
from registry.series.panel import Floats
from registry.series.quantiles import MEDIAN_INDEX, is_count_data, round_median

MAX_ERROR_RATIO = 1.4  # times the lowest error, from which a candidate is not blended
ERROR_POWER = 3  # of the errors: half as good again counts a third
SINGLE_MARGIN = 0.06  # by so much must a single one be better than the blend to forecast alone
WindowForecasts = list[Floats]  # one array per held-back window


def ensemble_weights(
    forecasts: list[WindowForecasts], actual: WindowForecasts, excluded: Collection[int] = ()
) -> list[float]:
    """Weights, one per candidate, that sum to 1: forecasts [candidate][window] [S, H, 1 + Q].

    The candidates at `alone`, such as repeating last week, are in no blend.
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
    """Half the error of the median, half that of all quantiles."""
    forecast, known = np.stack(forecasts), np.stack(actual)
    forecast = round_median(forecast) if is_count_data(known) else forecast
    return metrics.wape(known, forecast[..., 1 + MEDIAN_INDEX]) + metrics.wql(known, forecast[..., 1:])
