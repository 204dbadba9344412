"""Series whose rows end while their store goes on: no longer sold, or rows are missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.facts.series_facts import Series

MIN_MISSED_DAYS = 28  # days on which the store sold other products, from which on a series has ended
Mask = npt.NDArray[np.bool_]


def find_endings(series: Series, first_day: int, traded: tuple[Mask, Mask]) -> Mask:
    """[S] the series that have ended.

    `traded` marks days with sales [stores, days] from `first_day` on, of file and dataset together and of the
    dataset alone: what the dataset showed already is not found again. A series with a plan has not ended.
    """
    last = series["newest"] - first_day
    sold = (series["recorded"] > 0) & (series["final"] <= series["newest"])
    sold &= (last >= 0) & (last < traded[0].shape[1])
    found = np.zeros(len(series), dtype=bool)
    stores, last = series["store"][sold], last[sold]
    missed, known = (count_later(table, stores, last) for table in traded)
    found[sold] = (missed >= MIN_MISSED_DAYS) & (known < MIN_MISSED_DAYS)
    return found


def count_later(
    traded: Mask, stores: npt.NDArray[np.int32], days: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64]:
    """Days of each store with sales after that day: [E]."""
    total = np.cumsum(traded, axis=1)
    later: npt.NDArray[np.int64] = total[stores, -1] - total[stores, days]
    return later
