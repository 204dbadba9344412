"""Rows of sales scattered into the grid of a panel, batch by batch, so that never all rows are in memory.

The rows are read twice: for the series and days that there are, then for the values. In order of store,
product and day, as the sales are stored, a series is one run of rows; any other order gives the same grid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Keys = list[tuple[str, str]]
Places = NDArray[np.int64]
CORE = ["date", "store_id", "product_id", "sales"]


@dataclass(frozen=True)
class SalesRows:
    """Canonical rows: date, store_id, product_id, sales and covariates.

    read gives the rows with the asked columns in batches, as often as it is called. Series that never sold
    are left out, unless `with_unsold`.
    """

    read: Callable[[list[str]], Iterable[pa.RecordBatch]]
    with_unsold: bool = False


@dataclass
class Labels:
    """Texts numbered as they come."""

    places: dict[str, int] = field(default_factory=dict)

    def number(self, column: pa.Array) -> Places:
        """[N] numbers of the texts; -1 = empty."""
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        texts = [str(text) for text in column.dictionary.to_pylist()]
        known = [self.places.setdefault(text, len(self.places)) for text in texts]
        codes = column.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        return np.array([*known, -1], np.int64)[codes]

    @property
    def texts(self) -> list[str]:
        """The texts by their numbers."""
        return list(self.places)

    def ranks(self) -> Places:
        """The place of each text in alphabetical order, by its number."""
        ranks = np.empty(len(self.places), np.int64)
        ranks[np.argsort(np.array(self.texts, dtype=object))] = np.arange(len(self.places))
        return ranks


@dataclass(frozen=True)
class Runs:
    """Successive rows of one series: pair [R] of store and product as one number, first row [R]."""

    pairs: Places
    starts: Places
    days: NDArray[np.int32]  # [N]
    sales: Floats  # [N], NaN = not recorded

    @property
    def sold(self) -> Flags:
        return ~np.isnan(self.sales)

    @property
    def lengths(self) -> Places:
        """Rows of each run: [R]."""
        return np.diff(self.starts, append=len(self.days))


@dataclass(frozen=True)
class SeriesIndex:
    """The series of the rows in order of store and product, and their days since 1970.

    last_row is the last day of any row, which may be planned.
    """

    keys: Keys
    first_sale: int
    last_sale: int
    last_row: int
    codes: tuple[Labels, Labels]
    pairs: Places  # [S] ascending
    rows: Places  # [S] row in `keys` of each pair

    def find_rows(self, pairs: Places) -> Places:
        """The row of each pair [R]; -1 = not in the index."""
        place = np.searchsorted(self.pairs, pairs).clip(max=len(self.pairs) - 1)
        return np.where(self.pairs[place] == pairs, self.rows[place], -1)


def index_series(rows: SalesRows) -> SeriesIndex | None:
    """The series of the rows; None when none has sold."""
    codes = Labels(), Labels()
    pairs, sold, last, sales_days = [], [], [], []
    for runs in iter_runs(rows, codes):
        has_sold = runs.sold
        pairs.append(runs.pairs)
        sold.append(np.logical_or.reduceat(has_sold, runs.starts))
        last.append(np.maximum.reduceat(runs.days, runs.starts))
        days = runs.days[has_sold]
        sales_days += [days.min(), days.max()] if days.size else []
    if not sales_days:
        return None
    found, place = np.unique(np.concatenate(pairs), return_inverse=True)
    has_any, last_rows = np.zeros(len(found), np.bool_), np.full(len(found), np.iinfo(np.int32).min)
    np.logical_or.at(has_any, place, np.concatenate(sold))
    np.maximum.at(last_rows, place, np.concatenate(last))
    kept = np.ones_like(has_any) if rows.with_unsold else has_any
    found = found[kept]
    store, product = found >> 32, found & 0xFFFFFFFF
    order = np.lexsort((codes[1].ranks()[product], codes[0].ranks()[store]))
    places = np.empty(len(found), np.int64)
    places[order] = np.arange(len(found))
    stores, products = codes[0].texts, codes[1].texts
    keys = [(stores[s], products[p]) for s, p in zip(store[order], product[order], strict=True)]
    days_seen = int(min(sales_days)), int(max(sales_days)), int(last_rows[kept].max())
    return SeriesIndex(keys, *days_seen, codes, found, places)


def iter_runs(rows: SalesRows, codes: tuple[Labels, Labels]) -> Iterator[Runs]:
    """The rows in runs of one series, whose stores and products `codes` numbers."""
    for batch in rows.read(CORE):
        if batch.num_rows:
            yield _find_runs(batch, codes)


def _find_runs(batch: pa.RecordBatch, codes: tuple[Labels, Labels]) -> Runs:
    store, product = (label.number(batch.column(name)) for label, name in zip(codes, CORE[1:3], strict=True))
    pair = (store << 32) | product
    starts = np.flatnonzero(np.append(True, pair[1:] != pair[:-1]))
    days = batch.column("date").cast(pa.date32()).cast(pa.int32()).to_numpy(zero_copy_only=False)
    return Runs(pair[starts], starts, days, read_numbers(batch.column("sales")))


def read_numbers(column: pa.Array) -> Floats:
    """A column of numbers or flags as float32; NaN = empty."""
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float32)


@dataclass
class Grid:
    """The values of the rows as tables of series and days; column 0 is the day `start`.

    sales, blank [S, W]: NaN = no row; rows without sales. covariates: name -> [S, W], static ones [S]; texts
    as codes into `categories[name]`, which are in alphabetical order.
    """

    index: SeriesIndex
    start: int
    width: int
    sales: Floats = field(init=False)
    blank: Flags = field(init=False)
    covariates: dict[str, Floats] = field(default_factory=dict)
    categories: dict[str, list[str]] = field(default_factory=dict)
    _texts: dict[str, tuple[Labels, set[int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = len(self.index.keys), self.width
        self.sales, self.blank = np.full(shape, np.nan, np.float32), np.zeros(shape, np.bool_)

    def scatter_rows(self, rows: SalesRows, roles: dict[str, str]) -> None:
        """Fills the tables; of a static column the first row of a series tells its value."""
        for name, role in roles.items():
            shape = self.sales.shape[:1] if role == "static" else self.sales.shape
            self.covariates[name] = np.full(shape, np.nan, np.float32)
        is_new = np.ones(len(self.index.keys), np.bool_)
        for batch in rows.read([*CORE, *roles]):
            if not batch.num_rows:
                continue
            runs = _find_runs(batch, self.index.codes)
            places = self.index.find_rows(runs.pairs)  # [R]
            series = np.repeat(places, runs.lengths)  # [N]
            column = runs.days.astype(np.int64) - self.start
            kept = series >= 0
            # a plan may begin before the first sale
            inside: Any = slice(None) if (whole := kept & (column >= 0)).all() else whole
            cell = (series * self.width + column)[inside]
            self.sales.ravel()[cell] = runs.sales[inside]
            self.blank.ravel()[cell] = np.isnan(runs.sales)[inside]
            # backwards, so that the first run of a series is written last
            first = np.flatnonzero((places >= 0) & is_new[places])[::-1]
            for name, role in roles.items():
                values = self._read_values(name, batch.column(name), kept)
                if role == "static":
                    self.covariates[name][places[first]] = values[runs.starts[first]]
                else:
                    self.covariates[name].ravel()[cell] = values[inside]
            is_new[places[first]] = False
        self._sort_texts()

    def _read_values(self, name: str, column: pa.Array, kept: Flags) -> Floats:
        """Numbers as they are; texts as numbers in the order in which they come."""
        if not is_text(column.type):
            return read_numbers(column)
        labels, used = self._texts.setdefault(name, (Labels(), set()))
        codes = labels.number(column)
        used.update(np.unique(codes[kept]).tolist())
        return np.where(codes < 0, np.float32(np.nan), codes.astype(np.float32))

    def _sort_texts(self) -> None:
        """Numbers the texts in alphabetical order, without those of series that were left out."""
        for name, (labels, used) in self._texts.items():
            texts = labels.texts
            self.categories[name] = sorted(texts[code] for code in used if code >= 0)
            places = {text: place for place, text in enumerate(self.categories[name])}
            sorted_codes = np.array([places.get(text, -1) for text in texts] + [np.nan], np.float32)
            values = self.covariates[name]
            self.covariates[name] = sorted_codes[np.nan_to_num(values, nan=len(texts)).astype(np.int64)]


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds texts, or nothing at all."""
    is_string = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return is_string or pa.types.is_dictionary(kind) or pa.types.is_null(kind)
