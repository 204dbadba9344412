"""Missing days: of a whole store, or of one product while its store sold others, for a while or for good."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.checks.endings import find_endings
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.covariate_roles import is_constant_per_series
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.finding_effects import draw_days, measure_gaps, picture_series
from registry.datasets.importing.findings import MAX_EXAMPLES, Example
from registry.datasets.importing.merge import build_row_keys, make_blank_column, merge_tables
from registry.datasets.importing.values import BLOCK_ROWS, CategoricalColumn, find_recorded
from registry.series.left_out import drop_rest_days

RowNumbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
# a source that writes rows only for sales has many gaps and hardly a zero
MAX_ZERO_SHARE, MIN_GAP_SHARE = 0.05, 0.3
MAX_FILLED_ROWS = 20_000_000
MAX_CELLS = 200_000_000  # stores times days


class GapChecks:
    """Gaps between two rows of a series, and what they mean."""

    def __init__(self, log: FindingLog, content: CanonicalTable, row_numbers: RowNumbers) -> None:
        self.log, self.content, self.row_numbers = log, content, row_numbers
        self.rows = find_recorded(content.sales)
        days = content.days if len(self.rows) == content.row_count else content.days[self.rows]
        self.first_day = int(days.min()) if len(days) else 0
        self.day_count = int(days.max()) - self.first_day + 1 if len(days) else 0
        stores = content.stores.codes
        self.stores = stores if len(self.rows) == content.row_count else stores[self.rows]
        self.days = days - self.first_day

    def fill_gaps(self) -> tuple[CanonicalTable, RowNumbers]:
        """The content and its row numbers, with zeros where the action says that nothing was sold."""
        if len(self.content.stores.values) * self.day_count > MAX_CELLS or len(self.rows) < 2:
            return self.content, self.row_numbers
        traded = self.mark_days(slice(None))
        unknown = self.find_unknown(traded)
        store_action = self.check_stores(traded, unknown)
        product_action = self.check_products(traded)
        wanted = np.zeros_like(traded)
        if product_action == "zero":
            wanted |= traded
        if store_action == "zero":
            wanted |= ~traded & ~unknown
        before, after = self.find_gaps()
        is_from_file = self.row_numbers[self.rows[after]] > 0  # older gaps are left alone
        spots = [self.list_days(before[is_from_file], self.days[after[is_from_file]], wanted)]
        last, until = self.check_endings(traded)
        spots.append(self.list_days(last, until, traded))
        source, day = (np.concatenate(part) for part in zip(*spots, strict=True))
        return self.insert_zeros(source, day) if len(source) else (self.content, self.row_numbers)

    def mark_days(self, rows: Mask | slice) -> Mask:
        """[stores, days] with one of these rows that have sales."""
        marks = np.zeros((len(self.content.stores.values), self.day_count), dtype=bool)
        stores, days = self.stores[rows], self.days[rows]
        for start in range(0, len(days), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            marks[stores[block], days[block]] = True
        return marks

    def check_stores(self, traded: Mask, unknown: Mask) -> str:
        """Logs days without any row of a store between its first and last; returns the action.

        `traded` [stores, days] marks days with sales, `unknown` those that may have had some.
        """
        seen = np.maximum.accumulate(traded, axis=1)
        ahead = np.maximum.accumulate(traded[:, ::-1], axis=1)[:, ::-1]
        missing = seen & ahead & ~traded & ~unknown
        if not missing.any():
            return ""
        store, day = np.nonzero(missing)
        begins = np.append(True, (store[1:] != store[:-1]) | (day[1:] != day[:-1] + 1))
        ends = np.append(begins[1:], True)
        places: list[Example] = []
        count = 0
        for code, begin, end in zip(store[begins], day[begins], day[ends], strict=True):
            row = self.first_row_after(int(code), int(end))
            if row:
                count += int(end - begin) + 1
                if len(places) < FindingLog.MAX_BAD_ROWS:
                    series = self.picture_store(int(code), begin, end) if len(places) < MAX_EXAMPLES else None
                    label = self.describe_gap(int(code), begin, end)
                    places.append(Example(row, self.log.column_label("date"), label, series))
        if not count:
            return ""
        action = self.log.add_finding("store-gap", places, count)
        measure_gaps(self.log.findings[-1], count, len(np.unique(store[begins])))
        return action

    def picture_store(self, store: int, begin: int, end: int) -> dict[str, Any]:
        """The sales of a store with a gap marked."""
        rows = self.rows[self.select_store_rows(store)]
        spot = (self.first_day + int(begin), self.first_day + int(end))
        drawn = draw_days(self.content.days[rows], self.content.sales[rows], spot)
        return {"store": self.content.stores.values[store], "product": "", **drawn}

    def picture_product(self, before: int) -> dict[str, Any]:
        """The series of a row before a gap, with the gap marked; `before` is a position in `rows`."""
        row = int(self.rows[before])
        starts = self.content.series_starts
        number = int(np.searchsorted(starts, row, side="right")) - 1
        end = int(starts[number + 1]) if number + 1 < len(starts) else self.content.row_count
        spot = (int(self.days[before]), int(self.days[before + 1]))
        gap = (self.first_day + spot[0] + 1, self.first_day + spot[1] - 1)
        return picture_series(self.content, slice(int(starts[number]), end), gap)

    def find_unknown(self, traded: Mask) -> Mask:
        """[stores, days] of which rows were left out or have no sales: the store may have been open."""
        content = self.content
        blank = np.flatnonzero(np.isnan(content.sales))
        days = content.days[blank] - self.first_day
        within = (days >= 0) & (days < self.day_count)
        unknown = np.zeros_like(traded)
        unknown[content.stores.codes[blank[within]], days[within]] = True
        unknown = drop_rest_days(unknown & ~traded, traded, self.first_day)
        return unknown | self.log.left_out_sales.mark_stores(
            content.stores.values, self.first_day, self.day_count
        )

    def is_left_out(self, rows: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> Mask:
        """[N] whether the row of that day, of the series that a row is of, was left out."""
        lost = self.log.left_out_sales
        keys = sorted({(store, product) for store, product, _first, _last in lost.spans})
        marks = lost.mark_series(keys, self.first_day, self.day_count)
        stores = {name: code for code, name in enumerate(self.content.stores.values)}
        products = {name: code for code, name in enumerate(self.content.products.values)}
        known = [place for place, (s, p) in enumerate(keys) if s in stores and p in products]
        if not known:
            return np.zeros(len(rows), dtype=bool)
        wanted = np.array([stores[keys[n][0]] * len(products) + products[keys[n][1]] for n in known])
        series = self.content.stores.codes[rows].astype(np.int64) * len(products)
        series += self.content.products.codes[rows]
        order = np.argsort(wanted)
        place = order[np.minimum(np.searchsorted(wanted, series, sorter=order), len(order) - 1)]
        return np.asarray((wanted[place] == series) & marks[np.array(known)[place], day])

    def first_row_after(self, store: int, day: int) -> int:
        """The first row of the file after a store's gap; 0 when that row was in the dataset before."""
        rows = self.select_store_rows(store)
        numbers = self.row_numbers[self.rows[rows]]
        later = numbers[(self.days[rows] == day + 1) & (numbers > 0)]
        return int(later.min()) if len(later) else 0

    def select_store_rows(self, store: int) -> slice:
        """The rows of a store, which lie together."""
        return slice(*np.searchsorted(self.stores, [store, store + 1]).tolist())

    def describe_gap(self, store: int, begin: int, end: int) -> str:
        """Store and days of a gap, for people."""
        days = [str(np.datetime64(self.first_day + int(day), "D")) for day in (begin, end)]
        span = days[0] if begin == end else " – ".join(days)
        return f"{self.content.stores.values[store]}: {span}"

    def check_products(self, traded: Mask) -> str:
        """Logs days without a row of a product while its store sold others; returns the action."""
        before, after = self.find_gaps()
        opened = np.zeros((len(traded), traded.shape[1] + 1), np.int32)
        np.cumsum(traded, axis=1, out=opened[:, 1:])
        store = self.stores[before]
        missing = opened[store, self.days[after]] - opened[store, self.days[before] + 1]
        is_from_file = self.row_numbers[self.rows[after]] > 0
        hits = np.flatnonzero((missing > 0) & is_from_file)
        if not len(hits):
            return ""
        count = int(missing[hits].sum())
        products = self.content.products
        places = [
            Example(
                int(self.row_numbers[self.rows[after[hit]]]),
                self.log.column_label("date"),
                f"{products.values[products.codes[self.rows[after[hit]]]]} · "
                + self.describe_gap(int(store[hit]), self.days[before[hit]] + 1, self.days[after[hit]] - 1),
                self.picture_product(int(before[hit])) if place < MAX_EXAMPLES else None,
            )
            for place, hit in enumerate(hits[: FindingLog.MAX_BAD_ROWS])
        ]
        recorded, action = len(self.rows), ""
        zero_share = np.count_nonzero(self.content.sales == 0) / recorded
        if count > MIN_GAP_SHARE * (count + recorded) and zero_share < MAX_ZERO_SHARE:
            self.log.add_finding("only-sold", places, count, "zero")  # training fills them with zeros
        else:
            action = self.log.add_finding("product-gap", places, count)
        keys = np.stack([store[hits], products.codes[self.rows[after[hits]]]])
        measure_gaps(self.log.findings[-1], count, np.unique(keys, axis=1).shape[1])
        return action

    def check_endings(self, traded: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Logs series that end while their store goes on; those to fill with zeros, like find_endings.

        In a file with rows only for sales a series that sells nothing for weeks is nothing unusual.
        """
        known = self.mark_days(self.row_numbers[self.rows] == 0)
        last, until = find_endings(self.content, self.rows, self.days, (traded, known))
        if not len(last) or any(finding.code == "only-sold" for finding in self.log.findings):
            return last[:0], until[:0]
        products = self.content.products
        places = [
            Example(
                int(self.row_numbers[self.rows[row]]),
                self.log.column_label("date"),
                f"{products.values[products.codes[self.rows[row]]]} · "
                + self.describe_gap(int(self.stores[row]), int(self.days[row]) + 1, int(end) - 1),
                self.picture_ending(int(row)) if place < MAX_EXAMPLES else None,
            )
            for place, (row, end) in enumerate(zip(last, until, strict=True))
            if place < FindingLog.MAX_BAD_ROWS
        ]
        action = self.log.add_finding("ended", places, len(last))
        return (last, until) if action == "zero" else (last[:0], until[:0])

    def picture_ending(self, last: int) -> dict[str, Any]:
        """The series that ends with that position in `rows`, its last day marked."""
        row, day = int(self.rows[last]), self.first_day + int(self.days[last])
        starts = self.content.series_starts
        start = int(starts[np.searchsorted(starts, row, side="right") - 1])
        return picture_series(self.content, slice(start, row + 1), (day, day))

    def find_gaps(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """[G] the row before and the row after each gap of a series."""
        found = [np.zeros(0, np.int64)]
        for start in range(0, len(self.rows) - 1, BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS + 1)  # one more, which the next block begins with
            store, day = self.stores[rows], self.days[rows]
            product = self.content.products.codes[self.rows[rows]]
            same = (store[1:] == store[:-1]) & (product[1:] == product[:-1])
            found.append(start + np.flatnonzero(same & (day[1:] - day[:-1] > 1)))
        before = np.concatenate(found)
        return before, before + 1

    def list_days(
        self, before: npt.NDArray[np.int64], until: npt.NDArray[np.int32 | np.int64], wanted: Mask
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The wanted [store, day] from rows to the days `until` [G]: the row before and the day, [N] both."""
        lengths = until - self.days[before] - 1
        if lengths.sum() > MAX_FILLED_ROWS:
            return before[:0], before[:0]
        source = np.repeat(before, lengths)
        step = np.arange(len(source)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        day = self.days[source] + 1 + step
        use = wanted[self.stores[source], day]
        use[use] &= ~self.is_left_out(self.rows[source[use]], day[use])
        return source[use], day[use]

    def insert_zeros(
        self, source: npt.NDArray[np.int64], day: npt.NDArray[np.int64]
    ) -> tuple[CanonicalTable, RowNumbers]:
        """Adds rows of zero sales on these days of the series of `source`; fixed columns keep their value."""
        rows = self.rows[source]
        content = self.content

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
        return merged, restore_row_numbers(self.row_numbers, merged, content, numbers)


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
