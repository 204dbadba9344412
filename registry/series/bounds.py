"""Bounds: the most that a series could sell in a day, judged by its own days and those of its like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats, Panel

BOUND_FACTOR = 3.0  # times the largest comparable day
ONE_OFF_DAYS = 200  # recorded days per day that is left out as a one-off
YOUNG_DAYS = 56  # recorded days below which a series is also judged by its like


def daily_bounds(panel: Panel, unit: float) -> Floats:
    """Units a day that no forecast of a series exceeds: [S].

    Three times its largest day, without one day in 200 as a one-off. A series of few days is also judged by
    the same product in other stores, else by all series.
    """
    largest, count = largest_days(np.where(panel.closed, np.nan, panel.sales))
    young = np.flatnonzero(count < YOUNG_DAYS)
    if young.size:
        old = count >= YOUNG_DAYS
        usual = float(largest[old].max(initial=0.0))
        by_product: dict[str, float] = {}
        for row in np.flatnonzero(old):
            product = panel.keys[row][1]
            by_product[product] = max(by_product.get(product, 0.0), float(largest[row]))
        like = [by_product.get(panel.keys[row][1], usual) for row in young]
        largest[young] = np.maximum(largest[young], like)
    return np.maximum(BOUND_FACTOR * largest, unit).astype(np.float32)


def largest_days(sales: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The largest comparable day of each series and its recorded days: [S] both; sales [S, D], NaN = none.

    >>> largest_days(np.array([[1, 2, np.nan, 9], [0, 0, 0, 7]], np.float32))[0].tolist()
    [9.0, 7.0]
    """
    count = (~np.isnan(sales)).sum(axis=1)
    ordered = np.sort(np.nan_to_num(sales, nan=-1.0), axis=1)  # ascending: what is not recorded comes first
    place = sales.shape[1] - 1 - count // ONE_OFF_DAYS
    found = ordered[np.arange(len(sales)), place]
    # a series that sells on a few days only: its largest day is all there is
    return np.where(found > 0, found, np.maximum(ordered[:, -1], 0)).astype(np.float32), count
