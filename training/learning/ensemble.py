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
from registry.series.quantiles import MEDIAN, all_whole, whole_median

LEFT_OUT = 1.4  # times the lowest error, from which a candidate is not blended
POWER = 3  # of the errors: half as good again counts a third
MARGIN = 0.06  # by so much must a single one be better than the blend to forecast alone
Windows = list[Floats]  # one array per held-back window


def choose(forecasts: list[Windows], actual: Windows, alone: Collection[int] = ()) -> list[float]:
    """Weights, one per candidate, that sum to 1: forecasts [candidate][window] [S, H, 1 + Q].

    The candidates at `alone`, such as repeating last week, are in no blend.
    """
    errors = np.array([_error(windows, actual) for windows in forecasts])
    together = np.array([place not in alone for place in range(len(errors))])
    lowest = max(float(errors[together].min(initial=np.inf)), 1e-9)
    near = together & (errors <= LEFT_OUT * lowest)
    if near.any():
        shares = np.where(near, (lowest / np.maximum(errors, lowest)) ** POWER, 0.0)
        weights = [float(share / shares.sum()) for share in shares]
        if _error(blend(forecasts, weights), actual) * (1 - MARGIN) <= errors.min():
            return weights
    return [float(place == errors.argmin()) for place in range(len(errors))]


def blend(forecasts: list[Windows], weights: list[float]) -> Windows:
    """The weighted mean of the candidates' forecasts, window by window."""
    windows = range(len(forecasts[0]))
    return [
        np.sum([np.float32(w) * f[i] for f, w in zip(forecasts, weights, strict=True) if w > 0], axis=0)
        for i in windows
    ]


def _error(forecasts: Windows, actual: Windows) -> float:
    """Half the error of the median, half that of all quantiles."""
    forecast, known = np.stack(forecasts), np.stack(actual)
    forecast = whole_median(forecast) if all_whole(known) else forecast
    return metrics.wape(known, forecast[..., 1 + MEDIAN]) + metrics.wql(known, forecast[..., 1:])
