"""Missing days: a whole store without a row, or one product while its store sold others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import Canonical
from registry.datasets.importing.covariate_roles import constant_within
from registry.datasets.importing.extra_columns import Column
from registry.datasets.importing.finding_log import Check
from registry.datasets.importing.findings import Example
from registry.datasets.importing.merge import blank, key, merge
from registry.datasets.importing.values import Texts

Numbers = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
FEW_ZEROS, MANY_HOLES = 0.05, 0.3  # a source that writes a row only when something was sold
MOST_FILLED = 20_000_000
MOST_CELLS = 200_000_000


class Gaps:
    """Holes between two rows of a series (`before` and `after` are their places), and what they mean."""

    def __init__(self, check: Check, content: Canonical, numbers: Numbers) -> None:
        self.check, self.content, self.numbers = check, content, numbers
        self.rows = np.flatnonzero(~np.isnan(content.sales))
        days = content.days[self.rows]
        self.first = int(days.min()) if len(days) else 0
        self.span = int(days.max()) - self.first + 1 if len(days) else 0
        self.stores = content.stores.codes[self.rows]
        self.days = days - self.first

    def filled(self) -> tuple[Canonical, Numbers]:
        """The content with zeros where a person says that nothing was sold."""
        if len(self.content.stores.values) * self.span > MOST_CELLS or len(self.rows) < 2:
            return self.content, self.numbers
        traded = np.zeros((len(self.content.stores.values), self.span), dtype=bool)
        traded[self.stores, self.days] = True
        shut = self.of_stores(traded)
        holes = self.of_products(traded)
        wanted = np.zeros_like(traded)
        if holes == "zero":
            wanted |= traded
        if shut == "zero":
            wanted |= ~traded
        return self.with_zeros(wanted) if wanted.any() else (self.content, self.numbers)

    def of_stores(self, traded: Mask) -> str:
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
            row = self.row_after(int(code), int(end))
            if row:
                count += int(end - begin) + 1
                if len(places) < Check.MOST_BAD:
                    places.append(Example(row, self.check.label("date"), self.words(int(code), begin, end)))
        return self.check.note("store-gap", places, count) if count else ""

    def row_after(self, store: int, day: int) -> int:
        """The first row of the file after a hole of a store; 0 when the hole is not the file's business."""
        at = self.rows_of(store)
        numbers = self.numbers[self.rows[at]]
        later = numbers[(self.days[at] == day + 1) & (numbers > 0)]
        return int(later.min()) if len(later) else 0

    def rows_of(self, store: int) -> slice:
        """Rows are in order of stores."""
        return slice(*np.searchsorted(self.stores, [store, store + 1]).tolist())

    def words(self, store: int, begin: int, end: int) -> str:
        days = [str(np.datetime64(self.first + int(day), "D")) for day in (begin, end)]
        span = days[0] if begin == end else " – ".join(days)
        return f"{self.content.stores.values[store]}: {span}"

    def of_products(self, traded: Mask) -> str:
        """Days without a row of a product while others of its store have one."""
        before, after = self.pairs()
        opened = np.zeros((len(traded), traded.shape[1] + 1), np.int32)
        np.cumsum(traded, axis=1, out=opened[:, 1:])
        store = self.stores[before]
        missing = opened[store, self.days[after]] - opened[store, self.days[before] + 1]
        told = self.numbers[self.rows[after]] > 0
        hits = np.flatnonzero((missing > 0) & told)
        if not len(hits):
            return ""
        count = int(missing[hits].sum())
        products = self.content.products
        places = [
            Example(
                int(self.numbers[self.rows[after[hit]]]),
                self.check.label("date"),
                f"{products.values[products.codes[self.rows[after[hit]]]]} · "
                + self.words(int(store[hit]), self.days[before[hit]] + 1, self.days[after[hit]] - 1),
            )
            for hit in hits[: Check.MOST_BAD]
        ]
        sales = self.content.sales[self.rows]
        if count > MANY_HOLES * (count + len(sales)) and (sales == 0).mean() < FEW_ZEROS:
            self.check.note("only-sold", places, count, "zero")  # the panel counts them as nothing sold
            return ""
        return self.check.note("product-gap", places, count)

    def pairs(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Neighbouring rows of a series with days between them."""
        product = self.content.products.codes[self.rows]
        same = (self.stores[1:] == self.stores[:-1]) & (product[1:] == product[:-1])
        before = np.flatnonzero(same & (self.days[1:] - self.days[:-1] > 1))
        return before, before + 1

    def with_zeros(self, wanted: Mask) -> tuple[Canonical, Numbers]:
        """Rows of nothing sold for the wanted [store, day] inside holes; fixed columns keep their value."""
        before, after = self.pairs()
        told = self.numbers[self.rows[after]] > 0  # what was there before the file is not its business
        before, after = before[told], after[told]
        lengths = self.days[after] - self.days[before] - 1
        if lengths.sum() > MOST_FILLED:
            return self.content, self.numbers
        source = np.repeat(before, lengths)
        step = np.arange(len(source)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        day = self.days[source] + 1 + step
        use = wanted[self.stores[source], day]
        rows = self.rows[source[use]]
        content = self.content

        def at_zeros(column: Column) -> Column:
            values = column.codes if isinstance(column, Texts) else column
            return column[rows] if constant_within(values, content.series) else blank(column, len(rows))

        added = Canonical(
            (day[use] + self.first).astype(np.int32),
            Texts(content.stores.codes[rows], content.stores.values),
            Texts(content.products.codes[rows], content.products.values),
            np.zeros(len(rows)),
            content.extras.mapped(at_zeros),
        )
        merged, numbers, _changes = merge(content, added, np.zeros(len(rows), np.int32))
        # `merge` marks rows of its first part with 0: the numbers of the file come back by their place.
        return merged, spread(self.numbers, merged, content, numbers)


def spread(numbers: Numbers, merged: Canonical, content: Canonical, empty: Numbers) -> Numbers:
    """The file's row numbers for the rows that were there before."""
    names = (merged.stores.values, merged.products.values)
    first = int(merged.days.min())
    span = int(merged.days.max()) - first + 1
    result = empty.copy()
    result[np.searchsorted(key(merged, names, first, span), key(content, names, first, span))] = numbers
    return result
