"""The rows with sales of a piece, as the checks of gaps see them, and the zeros that fill gaps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import is_constant_per_series
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.facts.series_facts import Series
from registry.datasets.importing.finding_effects import picture_series
from registry.datasets.importing.merge import build_row_keys, make_blank_column, merge_tables
from registry.datasets.importing.values import BLOCK_ROWS, CategoricalColumn, find_recorded

RowNumbers = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PieceRows:
    """[R] rows with sales: their position, number in the file, store, and days since `first_day`.

    `past` [S] are the facts of the rows of its series that are not at hand.
    """

    content: CanonicalTable
    rows: npt.NDArray[np.int32 | np.int64]
    numbers: RowNumbers
    stores: npt.NDArray[np.int32]
    days: npt.NDArray[np.int32]
    first_day: int
    past: Series | None

    @classmethod
    def find(
        cls,
        content: CanonicalTable,
        row_numbers: RowNumbers,
        stores: npt.NDArray[np.int32],
        first_day: int,
        past: Series | None,
    ) -> PieceRows:
        """The rows of the content; `stores` are the numbers of its stores."""
        rows = find_recorded(content.sales)
        codes, days = content.stores.codes, content.days
        if len(rows) < content.row_count:
            codes, days, row_numbers = codes[rows], days[rows], row_numbers[rows]
        if not (stores[1:] == stores[:-1] + 1).all() or stores[:1].any():
            codes = stores[codes]
        return cls(content, rows, row_numbers, codes, days - first_day, first_day, past)

    @cached_property
    def series(self) -> Positions:
        """[R] the number of the series."""
        return np.searchsorted(self.content.series_starts, self.rows, side="right") - 1

    def find_new_gaps(self) -> tuple[Positions, Positions]:
        """[G] the day before each gap that ends with a row of the file, and the position of that row."""
        after = self.find_gaps() + 1
        after = after[self.numbers[after] > 0]
        before = self.days[after - 1].astype(np.int64)
        if self.past is None:
            return before, after
        first = np.flatnonzero(np.append(True, self.series[1:] != self.series[:-1])[: len(self.rows)])
        newest = self.past["newest"][self.series[first]].astype(np.int64) - self.first_day
        newest[self.past["recorded"][self.series[first]] == 0] = self.day_limit
        is_gap = (self.numbers[first] > 0) & (newest < self.days[first] - 1)
        before, after = np.append(newest[is_gap], before), np.append(first[is_gap], after)
        order = np.argsort(after, kind="stable")
        return before[order], after[order]

    @property
    def day_limit(self) -> int:
        """A day after all others."""
        return int(self.days.max(initial=0)) + 1

    def find_gaps(self) -> Positions:
        """[G] the row before each gap of a series."""
        found = [np.zeros(0, np.int64)]
        for start in range(0, len(self.rows) - 1, BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS + 1)  # one more, which the next block begins with
            store, day = self.stores[rows], self.days[rows]
            product = self.content.products.codes[self.rows[rows]]
            same = (store[1:] == store[:-1]) & (product[1:] == product[:-1])
            found.append(start + np.flatnonzero(same & (day[1:] - day[:-1] > 1)))
        return np.concatenate(found)

    def find_last_rows(self) -> Positions:
        """[S] the last row of each series with sales, unless a plan follows."""
        starts = self.content.series_starts
        ends = np.append(starts[1:], self.content.row_count) - 1
        last = np.searchsorted(self.rows, ends.astype(self.rows.dtype))
        last = last[last < len(self.rows)]
        return last[np.isin(self.rows[last], ends)]

    def find_series_rows(self, row: int) -> slice:
        """All rows of the content of the series that a row is of."""
        starts = self.content.series_starts
        number = int(np.searchsorted(starts, self.rows[row], side="right")) - 1
        end = int(starts[number + 1]) if number + 1 < len(starts) else self.content.row_count
        return slice(int(starts[number]), end)

    def picture_ending(self, last: int) -> dict[str, Any]:
        """The series that ends with that row, its last day marked."""
        day = self.first_day + int(self.days[last])
        start = self.find_series_rows(last).start
        return picture_series(self.content, slice(start, int(self.rows[last]) + 1), (day, day))

    def product_name(self, row: int) -> str:
        """The product of a row."""
        products = self.content.products
        return str(products.values[products.codes[self.rows[row]]])

    def insert_zeros(
        self, source: Positions, day: Positions, row_numbers: RowNumbers
    ) -> tuple[CanonicalTable, RowNumbers]:
        """Adds rows of zero sales on these days of the series of `source`; fixed columns keep their value."""
        rows, content = self.rows[source], self.content

        def values_at_zeros(column: ColumnData) -> ColumnData:
            values = column.codes if isinstance(column, CategoricalColumn) else column
            return (
                column[rows]
                if is_constant_per_series(values, content.series_starts)
                else make_blank_column(column, len(rows))
            )

        added = CanonicalTable(
            (day + self.first_day).astype(np.int32),
            CategoricalColumn(content.stores.codes[rows], content.stores.values),
            CategoricalColumn(content.products.codes[rows], content.products.values),
            np.zeros(len(rows)),
            content.extras.map_columns(values_at_zeros),
        )
        merged, numbers, _changes = merge_tables(content, added, np.zeros(len(rows), np.int32))
        # merge_tables gives the rows of its first table the number 0, so theirs are put back
        return merged, restore_row_numbers(row_numbers, merged, content, numbers)


def restore_row_numbers(
    row_numbers: RowNumbers, merged: CanonicalTable, content: CanonicalTable, empty: RowNumbers
) -> RowNumbers:
    """[N] of the merged rows: the numbers that the rows of `content` had, `empty` for the others."""
    names = (merged.stores.values, merged.products.values)
    first = int(merged.days.min())
    span = int(merged.days.max()) - first + 1
    result = empty.copy()
    result[
        np.searchsorted(
            build_row_keys(merged, names, first, span), build_row_keys(content, names, first, span)
        )
    ] = row_numbers
    return result
