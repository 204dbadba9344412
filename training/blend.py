"""Who forecasts: the best single candidate or a weighted blend, whichever does better when held back. Pure.

Greedy selection with replacement: Caruana et al., "Ensemble Selection from Libraries of Models" (2004).
"""

from __future__ import annotations

import numpy as np

from registry.series import metrics
from registry.series.panel import Floats
from registry.series.quantiles import MEDIAN, all_whole, whole_median

PICKS = 5  # weights are multiples of 1 / PICKS
Windows = list[Floats]  # one array per held-back window


def choose(forecasts: list[Windows], actual: Windows) -> list[float]:
    """Weights, one per candidate, that sum to 1: forecasts [candidate][window] [S, H, 1 + Q]."""
    if len(forecasts) == 1:
        return [1.0]
    stacked: Windows = [np.stack(windows) for windows in forecasts]
    known: Floats = np.stack(actual)
    counts = np.zeros(len(forecasts))
    best, total = np.inf, np.zeros_like(stacked[0])
    for pick in range(1, PICKS + 1):
        errors = [_error((total + one) / np.float32(pick), known) for one in stacked]
        winner = int(np.argmin(errors))
        if errors[winner] >= best:
            break
        best, total = errors[winner], total + stacked[winner]
        counts[winner] += 1
    return [float(count / counts.sum()) for count in counts]


def blend(forecasts: list[Windows], weights: list[float]) -> Windows:
    """The weighted mean of the candidates' forecasts, window by window."""
    windows = range(len(forecasts[0]))
    return [
        np.sum([np.float32(w) * f[i] for f, w in zip(forecasts, weights, strict=True) if w > 0], axis=0)
        for i in windows
    ]


def _error(forecast: Floats, actual: Floats) -> float:
    """Half the error of the median, half that of all quantiles."""
    forecast = whole_median(forecast) if all_whole(actual) else forecast
    return metrics.wape(actual, forecast[..., 1 + MEDIAN]) + metrics.wql(actual, forecast[..., 1:])
