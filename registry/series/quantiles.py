"""The quantiles that every algorithm gives, and the intervals made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILE_LEVELS = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
OUTPUT_COUNT = 1 + len(QUANTILE_LEVELS)  # an algorithm's last axis: the mean, then the quantiles
MEDIAN_INDEX = QUANTILE_LEVELS.index(0.5)
# percent -> positions of its two ends in LEVELS
INTERVALS = {"50": (2, 4), "80": (1, 5), "95": (0, 6)}
QUANTILE_NAMES = tuple(f"q{level:g}" for level in QUANTILE_LEVELS)


def is_count_data(sales: NDArray[Any]) -> bool:
    """Whether everything that was sold was counted in whole units; NaN = unknown.

    >>> is_count_data(np.array([0.0, 3.0, np.nan])), is_count_data(np.array([0.5]))
    (True, False)
    """
    known = sales[~np.isnan(sales)]
    return bool(known.size and (known == np.round(known)).all())


def round_median(forecast: NDArray[Any]) -> NDArray[Any]:
    """[..., 1 + Q] with the median in whole units, as that of a count is; the other quantiles stay beside it.

    >>> round_median(np.array([0.7, 0.1, 0.2, 0.3, 0.6, 0.8, 1.2, 2.5])).tolist()
    [0.7, 0.1, 0.2, 0.3, 1.0, 1.0, 1.2, 2.5]
    """
    result = forecast.copy()
    median = np.round(forecast[..., 1 + MEDIAN_INDEX : 2 + MEDIAN_INDEX])
    result[..., 1 + MEDIAN_INDEX : 2 + MEDIAN_INDEX] = median
    result[..., 1 : 1 + MEDIAN_INDEX] = np.minimum(forecast[..., 1 : 1 + MEDIAN_INDEX], median)
    result[..., 2 + MEDIAN_INDEX :] = np.maximum(forecast[..., 2 + MEDIAN_INDEX :], median)
    return result
