"""How much wider ranges get beyond the tested days. Pure numpy.

Up to the last tested day T a range is as wide as it was measured. Beyond, its width grows with
(day / T) ** growth: 1 at T, and never falling. Errors of a level that wanders at random grow with the square
root of the days ahead (growth 0.5), those of a level that drifts steadily with the days themselves (growth
1). Where the tests are long enough, the growth between these two is measured on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats

LEAST_GROWTH, MOST_GROWTH = 0.5, 1.0
LEAD_RATIO = 3.0  # days ahead of the middle of a window's second half over those of its first half
WEEK = 7


def estimate_growth(windows: list[tuple[Floats, Floats]]) -> float:
    """The growth of the errors of sums from the first to the second half of a test window: their median.

    Each window: what groups sold and were expected to sell, [groups, H] twice, NaN = unknown. The median,
    since sales that move within one window look like an endless growth there.

    >>> sold = np.full((1, 28), 10.0)
    >>> early, late = np.full((1, 14), 9.0), np.full((1, 14), 8.0)
    >>> round(estimate_growth([(sold, np.concatenate([early, late], axis=1))]), 2)
    0.74
    """
    halves = [_squared_errors(sold, mean) for sold, mean in windows if sold.shape[1] >= 2 * WEEK]
    ratios = [late / early for early, late in halves if early and late]
    if not ratios:
        return LEAST_GROWTH
    growth = np.log(np.median(ratios)) / 2 / np.log(LEAD_RATIO)  # half: the errors are squared
    return float(np.clip(growth, LEAST_GROWTH, MOST_GROWTH))


def _squared_errors(sold: Floats, mean: Floats) -> tuple[float, float]:
    """Relative squared error of the sums of the first and of the last half of the days, in whole weeks."""
    half = sold.shape[1] // (2 * WEEK) * WEEK
    found = []
    for days in (slice(0, half), slice(-half, None)):
        missed = np.nansum(sold[:, days] - mean[:, days], axis=1)
        expected = np.nansum(mean[:, days], axis=1)
        found.append(float((missed**2).sum() / max(float((expected**2).sum()), 1e-9)))
    return found[0], found[1]


def width_growth(horizon: int, tested: int, growth: float) -> NDArray[np.float64]:
    """How many times as wide the range of each day ahead is: [horizon]; 1 within the tested days.

    >>> width_growth(4, 1, 0.5).round(2).tolist(), width_growth(2, 28, 0.5).tolist()
    ([1.0, 1.41, 1.73, 2.0], [1.0, 1.0])
    """
    if not tested:
        return np.ones(horizon)
    grown: NDArray[np.float64] = np.maximum(1.0, np.arange(1, horizon + 1) / tested) ** growth
    return grown
