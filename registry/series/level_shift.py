"""Level shifts: weeks that all sell several times as much, or as little, as the weeks before.

A network sees means over months and would take back most of such a change: it has hardly ever seen one. It
knows new series, though, so that one with a shift is forecast as if it had begun with it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from registry.series.calendar import YEAR_DAYS
from registry.series.panel import Floats

LEVEL_WEEKS = 4  # before a shift that are compared
MAX_WEEKS = 16  # newest ones in which a shift is looked for
SHIFT_FACTOR = 3.0
SEASON_FACTOR = 1.5  # a change by more than this at the same time last year is the season
Weeks = NDArray[np.float64]  # [S, W] units a day of each week, the newest first; NaN = no record


def find_level_shifts(sales: Floats, unit: float = 1.0) -> NDArray[np.int64]:
    """The column since which each series sells on a new level; 0 = none: [S]; sales [S, D], NaN = no record.

    Every week since is above three times every one of four weeks before, or below a third; the week of the
    change is not judged.
    """
    weeks = _weekly_means(sales, MAX_WEEKS + LEVEL_WEEKS + 1)
    year_ago = _weekly_means(sales[:, : max(0, sales.shape[1] - YEAR_DAYS)], weeks.shape[1])
    found, was_shift = np.zeros(len(sales), np.int64), np.zeros(len(sales), bool)
    for count in range(LEVEL_WEEKS, weeks.shape[1] - LEVEL_WEEKS):
        after, before = weeks[:, :count], weeks[:, count + 1 : count + 1 + LEVEL_WEEKS]
        is_shift = _is_apart(after, before, unit) | _is_apart(before, after, unit)
        is_shift &= ~_is_season(year_ago, weeks, count, unit)
        # the newest shift, and of the weeks that it could be dated to the oldest
        is_shift &= was_shift | (found == 0)
        found = np.where(is_shift, sales.shape[1] - 7 * count, found)
        was_shift = is_shift
    return found


def _weekly_means(sales: Floats, count: int) -> Weeks:
    """Units a day of the newest `count` whole weeks, or as many as there are: [S, W]."""
    count = min(count, sales.shape[1] // 7)
    newest = sales[:, sales.shape[1] - 7 * count :].reshape(len(sales), count, 7).astype(np.float64)
    known = ~np.isnan(newest)
    total = np.where(known, newest, 0).sum(axis=2)
    means: Weeks = np.where(known.any(axis=2), total / np.maximum(known.sum(axis=2), 1), np.nan)[:, ::-1]
    return means


def _is_apart(high: Weeks, low: Weeks, unit: float) -> NDArray[np.bool_]:
    """Whether each week of `high` is above SHIFT_FACTOR times each of `low`; no if one is unknown: [S]."""
    return np.asarray(high.min(axis=1) > SHIFT_FACTOR * np.maximum(low.max(axis=1), unit))


def _is_season(year_ago: Weeks, weeks: Weeks, count: int, unit: float) -> NDArray[np.bool_]:
    """Whether the level changed at the same time last year in the same direction: [S]."""
    if year_ago.shape[1] < weeks.shape[1]:
        return np.zeros(len(weeks), bool)
    change, then = (
        np.log(
            (table[:, :count].mean(axis=1) + unit)
            / (table[:, count + 1 : count + 1 + LEVEL_WEEKS].mean(axis=1) + unit)
        )
        for table in (weeks, year_ago)
    )
    return np.asarray((np.sign(change) == np.sign(then)) & (np.abs(then) > np.log(SEASON_FACTOR)))
