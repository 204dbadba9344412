"""What the series of an order sold in the last half year, week by week."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from prediction.orders.stock import Flags, Floats, Ints
from registry.datasets.models import DatasetVersion
from registry.datasets.store.reading import RowFilter, iter_tables

WEEKS = 26
COLUMNS = ["date", "store_id", "product_id", "sales"]


@dataclass(frozen=True)
class History:
    """Of each series [S]: units sold in each of the last weeks [S, W], whether they were always whole,
    and days since the last sale, at most W weeks."""

    weeks: Floats
    is_whole: Flags
    idle_days: Ints


def read_history(data: DatasetVersion, keys: Sequence[tuple[str, str]], until: date) -> History:
    """The history of the series up to a day; one without sales has none. Raises CorruptArtifact."""
    first = until - timedelta(days=7 * WEEKS - 1)
    weeks = np.zeros((len(keys), WEEKS), np.float32)
    is_whole, last = np.ones(len(keys), bool), np.full(len(keys), 7 * WEEKS, np.int64)
    places = SeriesPlaces(keys)
    for table in iter_tables(data, RowFilter(since=first), COLUMNS):
        inside = pc.and_(pc.greater_equal(table["date"], first), pc.less_equal(table["date"], until))
        sold = table.filter(pc.and_(inside, pc.greater(table["sales"], 0)))
        rows = places.find(sold)
        known = rows >= 0
        rows, units = rows[known], sold["sales"].to_numpy()[known].astype(np.float64)
        days = (sold["date"].to_numpy().astype("datetime64[D]")[known] - np.datetime64(first)).astype(int)
        np.add.at(weeks, (rows, days // 7), units)
        is_whole[rows[np.abs(units - np.round(units)) > 1e-6]] = False
        np.minimum.at(last, rows, 7 * WEEKS - 1 - days)
    return History(weeks, is_whole, last)


class SeriesPlaces:
    """Finds the rows of a table among series."""

    def __init__(self, keys: Sequence[tuple[str, str]]) -> None:
        self.stores = sorted({store for store, _product in keys})
        self.products = sorted({product for _store, product in keys})
        store_of = {code: place for place, code in enumerate(self.stores)}
        product_of = {code: place for place, code in enumerate(self.products)}
        pairs = [store_of[store] * len(self.products) + product_of[product] for store, product in keys]
        self.order = np.argsort(np.array(pairs, np.int64), kind="stable")
        self.pairs = np.array(pairs, np.int64)[self.order]

    def find(self, table: pa.Table) -> NDArray[np.intp]:
        """The place of each row's series, -1 for others."""
        if not len(self.pairs):
            return np.full(table.num_rows, -1, np.intp)
        stores, products = (
            _index(table[name], codes)
            for name, codes in (("store_id", self.stores), ("product_id", self.products))
        )
        wanted = stores * len(self.products) + products
        at = np.minimum(np.searchsorted(self.pairs, wanted), len(self.pairs) - 1)
        is_known = (stores >= 0) & (products >= 0) & (self.pairs[at] == wanted)
        return np.where(is_known, self.order[at], -1)


def _index(column: Any, codes: list[str]) -> NDArray[np.int64]:
    """The place of each text among the codes, -1 for others."""
    found = pc.index_in(pc.cast(column, pa.string()), value_set=pa.array(codes, pa.string()))
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)
