"""Rows that findings leave out: their days are unknown, which does not mean that the shop was closed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.dates import NO_DAY
from registry.datasets.importing.values import CategoricalColumn
from registry.series.left_out import LeftOutSales

MAX_LOST_DAYS = 28  # in a row: nobody wants to lose a month
MAX_SPAN = 400  # days between two rows of a series that rows without a date may belong to
MAX_NEAR = 7  # days between two rows of other series that a row without a date may belong to
MAX_CELLS = 200_000_000  # stores times days
MAX_ROWS = 200_000  # left out with their product; of more rows only the stores are told
Rows = npt.NDArray[np.int64]


def find_left_out(
    log: FindingLog, days: Days, stores: CategoricalColumn, products: CategoricalColumn
) -> None:
    """Tells the log of the days left out; raises SalesFileError where a whole month would be, unasked."""
    if not (log.left_out or log.emptied or log.ragged_rows):
        return
    kept = np.flatnonzero(~log.excluded & (days != NO_DAY))
    if not len(kept):
        return
    faulty = np.flatnonzero(log.faulty & log.excluded)
    first, last = int(days[kept].min()), int(days[kept].max())
    if len(stores.values) * (last - first + 1) > MAX_CELLS:
        return
    places = RowPlaces(log, days, stores, products, kept)
    lost = places.find_spans(faulty) | places.find_ragged(log.ragged_rows)
    log.lost_sales = lost
    is_proposed = log.options.on_problem == "propose" and not log.has_skip_choice
    if is_proposed and lost.spans and log.decided is None:
        marks = lost.mark_stores(stores.values, first, last - first + 1)
        marks[stores.codes[kept], days[kept] - first] = False
        if longest_run(marks) >= MAX_LOST_DAYS:
            raise log.no_rows_error()
    others = [rows for finding, rows in log.left_out if finding.code not in ("total-row", "future-date")]
    rest = np.setdiff1d(np.concatenate([np.zeros(0, np.int64), *others, *log.emptied]), faulty)
    log.left_out_sales = lost | places.find_spans(rest)


class RowPlaces:
    """Where the rows of a file belong, if they do not say it themselves; `kept` are rows with a day."""

    def __init__(
        self, log: FindingLog, days: Days, stores: CategoricalColumn, products: CategoricalColumn, kept: Rows
    ) -> None:
        self.days, self.stores, self.products = days, stores, products
        self.numbers = log.raw.row_numbers
        numbers = self.numbers[kept]
        if (numbers[1:] < numbers[:-1]).any():  # of a wide file they are mixed
            kept = kept[np.argsort(numbers, kind="stable")]
        self.kept = kept

    def find_spans(self, rows: Rows) -> LeftOutSales:
        """Store, product and day of the rows; a row without a day is placed by the rows around it."""
        dated = self.days[rows] != NO_DAY
        begin, end = self.days[rows].astype(np.int64), self.days[rows].astype(np.int64)
        if not dated.all():
            begin[~dated], end[~dated] = self.place_undated(rows[~dated])
        return build_spans(self.stores[rows], self.products[rows], begin, end)

    def place_undated(self, rows: Rows) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """First and last day that each row can have; the last is before the first where nobody knows."""
        after = np.searchsorted(self.numbers[self.kept], self.numbers[rows])
        above = self.kept[np.maximum(after - 1, 0)]
        below = self.kept[np.minimum(after, len(self.kept) - 1)]
        series = self.number_series(rows)
        follows = (after > 0) & (self.number_series(above) == series)
        leads = (after < len(self.kept)) & (self.number_series(below) == series)
        _pairs, number, counts = np.unique(
            np.stack([after, series]), axis=1, return_inverse=True, return_counts=True
        )
        run = counts[number.ravel()]  # rows without a day between the same two rows
        upper, lower = self.days[above].astype(np.int64), self.days[below].astype(np.int64)
        near = np.abs(lower - upper) <= MAX_NEAR
        begin = np.where(follows, upper + 1, np.where(leads, lower - run, np.minimum(upper, lower)))
        end = np.where(leads, lower - 1, np.where(follows, upper + run, np.maximum(upper, lower)))
        is_known = np.where(follows & leads, end - begin < MAX_SPAN, follows | leads | near)
        return begin, np.where(is_known, end, begin - 1)

    def number_series(self, rows: Rows) -> Rows:
        """[N] one number for the store and product of each row."""
        stores = self.stores.codes[rows].astype(np.int64)
        return stores * len(self.products.values) + self.products.codes[rows]

    def find_ragged(self, ragged: list[int]) -> LeftOutSales:
        """The days of rows that could not be split: of the stores of the rows above and below."""
        wanted = np.unique(np.array(ragged, self.numbers.dtype))
        after = np.searchsorted(self.numbers[self.kept], wanted)
        after = after[(after > 0) & (after < len(self.kept))]
        above, below = self.kept[after - 1], self.kept[after]
        begin = np.minimum(self.days[above], self.days[below]).astype(np.int64) + 1
        end = np.maximum(self.days[above], self.days[below]).astype(np.int64) - 1
        end = np.where(end - begin < MAX_SPAN, end, begin - 1)
        codes = np.concatenate([self.stores.codes[above], self.stores.codes[below]])
        unnamed = CategoricalColumn(np.zeros(len(codes), np.int32), [""])
        stores = CategoricalColumn(codes, self.stores.values)
        return build_spans(stores, unnamed, np.tile(begin, 2), np.tile(end, 2))


def build_spans(
    stores: CategoricalColumn,
    products: CategoricalColumn,
    begin: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
) -> LeftOutSales:
    """The spans of rows [N]; names without the spaces around them."""
    codes = np.zeros(len(begin), np.int64) if len(begin) > MAX_ROWS else products.codes.astype(np.int64)
    table = np.unique(np.stack([stores.codes.astype(np.int64), codes, begin, end]), axis=1)
    names = [name.strip() for name in stores.values]
    items = [""] if len(begin) > MAX_ROWS else [name.strip() for name in products.values]
    return LeftOutSales.from_spans((names[s], items[p], a, b) for s, p, a, b in table.T.tolist() if a <= b)


def longest_run(lost: Mask) -> int:
    """The most days in a row that one store lost."""
    edges = np.diff(np.pad(lost, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    begins, ends = np.nonzero(edges == 1)[1], np.nonzero(edges == -1)[1]
    return int((ends - begins).max(initial=0))
