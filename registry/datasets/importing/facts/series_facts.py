"""Figures of each series: how many rows, from when to when, and how much."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable

NO_DAY = 10_000_000  # a day number beyond every calendar
SERIES = np.dtype(
    [(name, "<i4") for name in ("store", "product", "rows", "recorded", "zeros")]
    + [(name, "<i4") for name in ("oldest", "newest", "final", "first", "last")]
    + [(name, "<f8") for name in ("units", "low", "high")]
)
NAMES = SERIES.names or ()
SUMS = ("rows", "recorded", "zeros", "units")
LEAST = (("oldest", np.minimum), ("first", np.minimum), ("low", np.fmin))
MOST = (("newest", np.maximum), ("final", np.maximum), ("last", np.maximum), ("high", np.fmax))
Series = npt.NDArray[Any]  # [S] of SERIES, in order of store and product


def make_series(count: int) -> Series:
    """Series without rows."""
    found = np.zeros(count, SERIES)
    found["oldest"] = found["first"] = NO_DAY
    found["newest"] = found["final"] = found["last"] = -NO_DAY
    found["low"] = found["high"] = np.nan
    return found


def describe_series(content: CanonicalTable) -> Series:
    """[S] the facts of each series."""
    starts, days, sales = content.series_starts, content.days, content.sales
    sold = ~np.isnan(sales)
    units = sales if sold.all() else np.where(sold, sales, 0.0)
    moved = units != 0
    found = np.zeros(len(starts), SERIES)
    found["store"], found["product"] = content.stores.codes[starts], content.products.codes[starts]
    found["rows"] = np.diff(np.append(starts, content.row_count))
    found["recorded"] = np.add.reduceat(sold.astype(np.int32), starts)
    found["zeros"] = found["recorded"] - np.add.reduceat(moved.astype(np.int32), starts)
    found["units"] = np.add.reduceat(units, starts)
    found["oldest"] = np.minimum.reduceat(np.where(sold, days, NO_DAY), starts)
    found["newest"] = np.maximum.reduceat(np.where(sold, days, -NO_DAY), starts)
    found["final"] = days[np.append(starts[1:], content.row_count) - 1]
    found["first"] = np.minimum.reduceat(np.where(moved, days, NO_DAY), starts)
    found["last"] = np.maximum.reduceat(np.where(moved, days, -NO_DAY), starts)
    found["low"] = np.fmin.reduceat(sales, starts)
    found["high"] = np.fmax.reduceat(sales, starts)
    return found
