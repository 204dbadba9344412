"""The quantiles that every algorithm forecasts, and the intervals between them.

Shapes in comments, here and in all numerics: Q = OUTPUT_COUNT, the mean and the quantiles, so that quantiles
alone are [..., Q - 1]. S series, B windows, L past days, P days of a block, H days ahead, D days with sales.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILE_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
OUTPUT_COUNT = 1 + len(QUANTILE_LEVELS)  # Q, the last axis of a forecast: the mean, then the quantiles
MEDIAN_INDEX = QUANTILE_LEVELS.index(0.5)
# percent -> index of its lower and upper end in QUANTILE_LEVELS
INTERVALS = {"50": (2, 4), "80": (1, 5), "95": (0, 6)}
QUANTILE_NAMES = tuple(f"q{level:g}" for level in QUANTILE_LEVELS)


def is_count_data(sales: NDArray[Any]) -> bool:
    """Whether all known sales are whole units; NaN = unknown.

    >>> is_count_data(np.array([0.0, 3.0, np.nan])), is_count_data(np.array([0.5]))
    (True, False)
    """
    known = sales[~np.isnan(sales)]
    return bool(known.size and (known == np.round(known)).all())


def round_median(forecast: NDArray[Any]) -> NDArray[Any]:
    """The forecast [..., Q] with a whole median, as counts have; the others stay on their side of it.

    >>> round_median(np.array([0.7, 0.1, 0.2, 0.3, 0.6, 0.8, 1.2, 2.5])).tolist()
    [0.7, 0.1, 0.2, 0.3, 1.0, 1.0, 1.2, 2.5]
    """
    result = forecast.copy()
    median = np.round(forecast[..., 1 + MEDIAN_INDEX : 2 + MEDIAN_INDEX])
    result[..., 1 + MEDIAN_INDEX : 2 + MEDIAN_INDEX] = median
    result[..., 1 : 1 + MEDIAN_INDEX] = np.minimum(forecast[..., 1 : 1 + MEDIAN_INDEX], median)
    result[..., 2 + MEDIAN_INDEX :] = np.maximum(forecast[..., 2 + MEDIAN_INDEX :], median)
    return result
