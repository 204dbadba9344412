"""Rows and units of each day, of all stores together or of each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.values import CategoricalColumn, Floats


@dataclass(frozen=True)
class DayTotals:
    """[D] or [stores, D] rows with and without sales, and units, on each day from `first` on."""

    first: int
    sold: npt.NDArray[np.int32]
    blank: npt.NDArray[np.int32]
    units: Floats

    @property
    def count(self) -> int:
        """D."""
        return int(self.sold.shape[-1])

    @classmethod
    def from_rows(
        cls, days: npt.NDArray[np.int32], sales: Floats, stores: CategoricalColumn | None = None
    ) -> DayTotals:
        """Counts rows [N], of each store or of all together."""
        first = int(days.min())
        width = int(days.max()) - first + 1
        place = days.astype(np.int64) - first
        shape: tuple[int, ...] = (width,)
        if stores is not None:
            place += stores.codes.astype(np.int64) * width
            shape = (len(stores.values), width)
        size, known = math.prod(shape), ~np.isnan(sales)
        every = np.bincount(place, minlength=size).astype(np.int32)
        sold = every
        if not known.all():
            place, sales = place[known], sales[known]
            sold = np.bincount(place, minlength=size).astype(np.int32)
        units: Floats = np.bincount(place, weights=sales, minlength=size).astype(np.float64)
        return cls(first, sold.reshape(shape), (every - sold).reshape(shape), units.reshape(shape))

    def spread(
        self, first: int, width: int, stores: npt.NDArray[np.int64] | None = None, size: int = 0
    ) -> DayTotals:
        """The same totals for `width` days from `first` on, stores at other places of `size` ones."""
        begin = self.first - first
        days = slice(begin, begin + self.count)

        def move(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            moved = np.zeros((width,) if stores is None else (size, width), values.dtype)
            if stores is None:
                moved[days] = values
            else:
                moved[stores, days] = values
            return moved

        return DayTotals(first, move(self.sold), move(self.blank), move(self.units))

    def add(self, other: DayTotals, sign: int = 1) -> DayTotals:
        """The sum of totals of the same stores and days."""
        return DayTotals(
            self.first,
            self.sold + np.int32(sign) * other.sold,
            self.blank + np.int32(sign) * other.blank,
            self.units + sign * other.units,
        )


def make_totals(first: int, shape: tuple[int, ...]) -> DayTotals:
    """Totals of no rows."""
    return DayTotals(first, np.zeros(shape, np.int32), np.zeros(shape, np.int32), np.zeros(shape))
