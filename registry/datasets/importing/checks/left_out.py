"""Days of which every row was left out: not recorded, which does not mean that the shop was closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.dates import NO_DAY
from registry.datasets.importing.values import CategoricalColumn

MAX_LOST_DAYS = 28  # in a row: nobody wants to lose a month
MAX_SPAN = 400  # days between two rows that rows without a date may belong to
MAX_CELLS = 200_000_000  # stores times days


def find_lost_days(log: FindingLog, days: Days, stores: CategoricalColumn) -> None:
    """Sets the log's lost days; raises SalesFileError where a whole month would be left out unasked."""
    faulty = log.faulty & log.excluded
    kept = ~log.excluded & (days != NO_DAY)
    if not kept.any() or not (faulty.any() or log.ragged_rows):
        return
    first, last = int(days[kept].min()), int(days[kept].max())
    if len(stores.values) * (last - first + 1) > MAX_CELLS:
        return
    lost = np.zeros((len(stores.values), last - first + 1), dtype=bool)
    dated = faulty & (days >= first) & (days <= last)
    lost[stores.codes[dated], days[dated] - first] = True
    mark_between(log, lost, np.flatnonzero(kept), days - first, stores.codes)
    lost[stores.codes[kept], days[kept] - first] = False
    is_proposed = log.options.on_problem == "propose" and not log.has_skip_choice
    if is_proposed and longest_run(lost) >= MAX_LOST_DAYS:
        raise log.no_rows_error()
    log.lost_days = {
        name: np.flatnonzero(lost[code]) + first
        for code, name in enumerate(stores.values)
        if lost[code].any()
    }


def mark_between(
    log: FindingLog, lost: Mask, kept: npt.NDArray[np.int64], days: Days, codes: npt.NDArray[np.int32]
) -> None:
    """Marks the days between the rows above and below each row that has no day."""
    numbers = log.raw.row_numbers
    undated = np.flatnonzero(log.faulty & log.excluded & ((days < 0) | (days >= lost.shape[1])))
    wanted = np.unique(np.append(numbers[undated], np.array(log.ragged_rows, numbers.dtype)))
    after = np.searchsorted(numbers[kept], wanted)
    inside = (after > 0) & (after < len(kept))
    pairs = np.unique(np.stack([kept[after[inside] - 1], kept[after[inside]]]), axis=1)
    for above, below in pairs.T.tolist():
        begin, end = sorted((int(days[above]), int(days[below])))
        if end - begin <= MAX_SPAN:
            for row in (above, below):
                lost[codes[row], begin + 1 : end] = True


def longest_run(lost: Mask) -> int:
    """The most days in a row that one store lost."""
    edges = np.diff(np.pad(lost, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.nonzero(edges == 1)[1], np.nonzero(edges == -1)[1]
    return int((ends - begins).max(initial=0))
