"""Rows in order of store, product and day, with one row for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.receipt_lines import RowDetails
from registry.datasets.importing.values import CategoricalColumn, Floats

Rows = npt.NDArray[np.int64] | slice


def sort_unique(
    log: FindingLog,
    days: Days,
    codes: tuple[CategoricalColumn, CategoricalColumn],
    sales: Floats,
    details: RowDetails,
) -> tuple[Rows, Floats]:
    """The positions of the rows in order, and their sales; lines of receipts are added up.

    The positions are a slice when the rows are in order already: a large sorted file is not copied.
    """
    stores, products = codes
    places: Rows = np.flatnonzero(~log.excluded) if log.excluded.any() else slice(None)
    if log.excluded.all():
        return places, sales[places]
    some = days[places]
    first, span = int(some.min()), int(some.max()) - int(some.min()) + 1
    # one number for store, product and day, built in place: a large file has no room for more
    key = stores.codes[places].astype(np.int64)
    key *= len(products.values)
    key += products.codes[places]
    key *= span
    key += some - first
    if (key[1:] > key[:-1]).all():
        return places, sales[places]
    order = np.argsort(key, kind="stable")  # stable: "first" and "last" mean the order in the file
    rows, key = order if isinstance(places, slice) else places[order], key[order]
    del order, places, some
    again = np.append(False, key[1:] == key[:-1])
    if not again.any():
        return rows, sales[rows]
    starts = np.flatnonzero(~again)
    repeated = log.decided.repeated if log.decided else None
    repeated = repeated or details.classify(rows, again, sales)
    log.repeated = repeated
    if repeated.kind == "lines":
        log.add_lines(rows, len(starts), repeated.line_columns)
        action = "sum"
    else:
        action = log.add_duplicates(rows, again, (days, stores, products), repeated.kind == "copies")
    if action == "first":
        return rows[starts], sales[rows[starts]]
    last = np.append(starts[1:], len(rows)) - 1
    return rows[last], sum_groups(sales[rows], starts) if action == "sum" else sales[rows[last]]


def sum_groups(sales: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Sums of groups of rows; NaN only where every row of a group is empty.

    >>> sum_groups(np.array([1, 2, np.nan, np.nan, 5]), np.array([0, 3, 4]))
    array([ 3., nan,  5.])
    """
    empty = np.isnan(sales)
    total = np.add.reduceat(np.where(empty, 0, sales), starts)
    return np.where(np.logical_and.reduceat(empty, starts), np.nan, total)
