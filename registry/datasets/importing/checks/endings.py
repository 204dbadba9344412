"""Series whose rows end while their store goes on: no longer sold, or rows are missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable

MIN_MISSED_DAYS = 28  # days on which the store sold other products, from which on a series has ended
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]


def find_endings(
    content: CanonicalTable,
    rows: npt.NDArray[np.int32 | np.int64],
    days: npt.NDArray[np.int32],
    traded: tuple[Mask, Mask],
) -> tuple[Positions, Positions]:
    """The last of `rows` of each series that has ended, and the day after its store's last one: [E], [E].

    rows: positions in `content` with sales; `days` [N] of them count like the columns of `traded`, which
    marks days with sales [stores, days] of file and dataset together, and of the dataset alone. What the
    dataset showed already is not found again, and a series with a plan has not ended.
    """
    stores = content.stores.codes[rows]
    ends = (np.append(content.series_starts[1:], content.row_count) - 1).astype(rows.dtype)
    last = np.searchsorted(rows, ends)
    last = last[rows[np.minimum(last, len(rows) - 1)] == ends]
    missed, known = (_count_later(table, stores[last], days[last]) for table in traded)
    last = last[(missed >= MIN_MISSED_DAYS) & (known < MIN_MISSED_DAYS)]
    newest = traded[0].shape[1] - traded[0][:, ::-1].argmax(axis=1)
    return last, newest[stores[last]].astype(np.int64)


def _count_later(traded: Mask, stores: npt.NDArray[np.int32], days: npt.NDArray[np.int32]) -> Positions:
    """Days of each store with sales after that day: [E]."""
    total = np.cumsum(traded, axis=1)
    later: Positions = total[stores, -1] - total[stores, days]
    return later
