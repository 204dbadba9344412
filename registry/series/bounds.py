"""Bounds: the most that a series could sell in a day, judged by its own days and those of its like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats

Keys = list[tuple[str, str]]  # store and product of each series
ALL_PRODUCTS = ""  # the key of the largest day of all

BOUND_FACTOR = 3.0  # times the largest comparable day
ONE_OFF_DAYS = 200  # recorded days per day that is left out as a one-off
YOUNG_DAYS = 56  # recorded days below which a series is also judged by its like


def daily_bounds(sales: Floats, keys: Keys, unit: float, learned: dict[str, float]) -> Floats:
    """Units a day that no forecast of a series exceeds: [S]; sales [S, D], NaN = closed or no record.

    Three times its largest day, without one day in 200 as a one-off. A series of few days is also judged by
    what was `learned` of its product, else of all: the same alone and among others.
    """
    largest, count = largest_days(sales)
    for row in np.flatnonzero(count < YOUNG_DAYS):
        like = learned.get(keys[row][1], learned.get(ALL_PRODUCTS, 0.0))
        largest[row] = max(largest[row], like)
    return np.maximum(BOUND_FACTOR * largest, unit).astype(np.float32)


def largest_by_product(sales: Floats, keys: Keys) -> dict[str, float]:
    """The largest comparable day of each product's series that are not young, and of ALL_PRODUCTS."""
    largest, count = largest_days(sales)
    found: dict[str, float] = {}
    for row in np.flatnonzero(count >= YOUNG_DAYS):
        for product in (keys[row][1], ALL_PRODUCTS):
            found[product] = max(found.get(product, 0.0), float(largest[row]))
    return found


def largest_days(sales: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The largest comparable day of each series and its recorded days: [S] both; sales [S, D], NaN = none.

    >>> largest_days(np.array([[1, 2, np.nan, 9], [0, 0, 0, 7]], np.float32))[0].tolist()
    [9.0, 7.0]
    """
    count = (~np.isnan(sales)).sum(axis=1)
    most = 1 + int(count.max(initial=0)) // ONE_OFF_DAYS  # days from the largest down that can decide
    # [S, most] ascending; what is not recorded comes first, and most days need not be sorted
    top = np.sort(np.partition(np.nan_to_num(sales, nan=-1.0), -most, axis=1)[:, -most:], axis=1)
    found = top[np.arange(len(sales)), most - 1 - count // ONE_OFF_DAYS]
    # a series that sells on a few days only: its largest day is all there is
    return np.where(found > 0, found, np.maximum(top[:, -1], 0)).astype(np.float32), count
