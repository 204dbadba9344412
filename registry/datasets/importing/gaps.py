"""Missing days: a whole store without a row, or one product while its store sold others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import is_constant_per_series
from registry.datasets.importing.extra_columns import ColumnData
from registry.datasets.importing.finding_log import FindingLog
from registry.datasets.importing.findings import Example
from registry.datasets.importing.merge import build_row_keys, make_blank_column, merge_tables
from registry.datasets.importing.values import CategoricalColumn

RowNumbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
MAX_ZERO_SHARE, MIN_GAP_SHARE = 0.05, 0.3  # a source that writes a row only when something was sold
MAX_FILLED_ROWS = 20_000_000
MAX_CELLS = 200_000_000


class GapChecks:
    """Holes between two rows of a series (`before` and `after` are their places), and what they mean."""

    def __init__(self, log: FindingLog, content: CanonicalTable, row_numbers: RowNumbers) -> None:
        self.log, self.content, self.row_numbers = log, content, row_numbers
        self.rows = np.flatnonzero(~np.isnan(content.sales))
        days = content.days[self.rows]
        self.first_day = int(days.min()) if len(days) else 0
        self.day_count = int(days.max()) - self.first_day + 1 if len(days) else 0
        self.stores = content.stores.codes[self.rows]
        self.days = days - self.first_day

    def fill_gaps(self) -> tuple[CanonicalTable, RowNumbers]:
        """The content with zeros where a person says that nothing was sold."""
        if len(self.content.stores.values) * self.day_count > MAX_CELLS or len(self.rows) < 2:
            return self.content, self.row_numbers
        traded = np.zeros((len(self.content.stores.values), self.day_count), dtype=bool)
        traded[self.stores, self.days] = True
        shut = self.check_stores(traded)
        holes = self.check_products(traded)
        wanted = np.zeros_like(traded)
        if holes == "zero":
            wanted |= traded
        if shut == "zero":
            wanted |= ~traded
        return self.insert_zeros(wanted) if wanted.any() else (self.content, self.row_numbers)

    def check_stores(self, traded: Mask) -> str:
        """Days on which a store has no row at all, between its first and its last."""
        seen = np.maximum.accumulate(traded, axis=1)
        ahead = np.maximum.accumulate(traded[:, ::-1], axis=1)[:, ::-1]
        missing = seen & ahead & ~traded
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
                    places.append(
                        Example(row, self.log.column_label("date"), self.describe_gap(int(code), begin, end))
                    )
        return self.log.add_finding("store-gap", places, count) if count else ""

    def first_row_after(self, store: int, day: int) -> int:
        """The first row of the file after a hole of a store; 0 when the hole is not the file's business."""
        at = self.select_store_rows(store)
        numbers = self.row_numbers[self.rows[at]]
        later = numbers[(self.days[at] == day + 1) & (numbers > 0)]
        return int(later.min()) if len(later) else 0

    def select_store_rows(self, store: int) -> slice:
        """Rows are in order of stores."""
        return slice(*np.searchsorted(self.stores, [store, store + 1]).tolist())

    def describe_gap(self, store: int, begin: int, end: int) -> str:
        days = [str(np.datetime64(self.first_day + int(day), "D")) for day in (begin, end)]
        span = days[0] if begin == end else " – ".join(days)
        return f"{self.content.stores.values[store]}: {span}"

    def check_products(self, traded: Mask) -> str:
        """Days without a row of a product while others of its store have one."""
        before, after = self.find_gaps()
        opened = np.zeros((len(traded), traded.shape[1] + 1), np.int32)
        np.cumsum(traded, axis=1, out=opened[:, 1:])
        store = self.stores[before]
        missing = opened[store, self.days[after]] - opened[store, self.days[before] + 1]
        told = self.row_numbers[self.rows[after]] > 0
        hits = np.flatnonzero((missing > 0) & told)
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
            )
            for hit in hits[: FindingLog.MAX_BAD_ROWS]
        ]
        sales = self.content.sales[self.rows]
        if count > MIN_GAP_SHARE * (count + len(sales)) and (sales == 0).mean() < MAX_ZERO_SHARE:
            self.log.add_finding("only-sold", places, count, "zero")  # the panel counts them as nothing sold
            return ""
        return self.log.add_finding("product-gap", places, count)

    def find_gaps(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Neighbouring rows of a series with days between them."""
        product = self.content.products.codes[self.rows]
        same = (self.stores[1:] == self.stores[:-1]) & (product[1:] == product[:-1])
        before = np.flatnonzero(same & (self.days[1:] - self.days[:-1] > 1))
        return before, before + 1

    def insert_zeros(self, wanted: Mask) -> tuple[CanonicalTable, RowNumbers]:
        """Rows of nothing sold for the wanted [store, day] inside holes; fixed columns keep their value."""
        before, after = self.find_gaps()
        told = self.row_numbers[self.rows[after]] > 0  # what was there before the file is not its business
        before, after = before[told], after[told]
        lengths = self.days[after] - self.days[before] - 1
        if lengths.sum() > MAX_FILLED_ROWS:
            return self.content, self.row_numbers
        source = np.repeat(before, lengths)
        step = np.arange(len(source)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        day = self.days[source] + 1 + step
        use = wanted[self.stores[source], day]
        rows = self.rows[source[use]]
        content = self.content

        def values_at_zeros(column: ColumnData) -> ColumnData:
            values = column.codes if isinstance(column, CategoricalColumn) else column
            return (
                column[rows]
                if is_constant_per_series(values, content.series_starts)
                else make_blank_column(column, len(rows))
            )

        added = CanonicalTable(
            (day[use] + self.first_day).astype(np.int32),
            CategoricalColumn(content.stores.codes[rows], content.stores.values),
            CategoricalColumn(content.products.codes[rows], content.products.values),
            np.zeros(len(rows)),
            content.extras.map_columns(values_at_zeros),
        )
        merged, numbers, _changes = merge_tables(content, added, np.zeros(len(rows), np.int32))
        # `merge` marks rows of its first part with 0: the numbers of the file come back by their place.
        return merged, restore_row_numbers(self.row_numbers, merged, content, numbers)


def restore_row_numbers(
    row_numbers: RowNumbers, merged: CanonicalTable, content: CanonicalTable, empty: RowNumbers
) -> RowNumbers:
    """The file's row numbers for the rows that were there before."""
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
