"""Canonical content: columns in one order, their hash, and their parquet form."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.values import CategoricalColumn, Floats
from registry.lib.days import from_day_number
from registry.series.left_out import LeftOutSales

Days = npt.NDArray[np.int32]
LEFT_OUT_KEY = b"left_out"  # of the parquet file's metadata; no part of the content
ITEMS_KEY = b"items"  # the catalog, in the metadata of a version's own file
ROW_GROUP_SIZE = 1 << 17  # rows; small enough to read one store of a chain without the others


@dataclass(frozen=True)
class CanonicalTable:
    """[N] rows in order of store, product and day; extra columns in order of their names.

    Numbers are float64 with NaN for an empty cell, texts have "" for one.
    """

    days: Days
    stores: CategoricalColumn
    products: CategoricalColumn
    sales: Floats
    extras: ExtraColumns = field(default_factory=ExtraColumns)

    @property
    def row_count(self) -> int:
        return len(self.days)

    @cached_property
    def date_range(self) -> tuple[dt.date, dt.date]:
        """First and last day with a sales record; rows after it are a plan."""
        sold = self.days[~np.isnan(self.sales)]
        return from_day_number(sold.min()), from_day_number(sold.max())

    @cached_property
    def series_starts(self) -> npt.NDArray[np.int64]:
        """[S] the row where each series begins."""
        starts = np.ones(self.row_count, dtype=bool)
        starts[1:] = self.stores.codes[1:] != self.stores.codes[:-1]
        starts[1:] |= self.products.codes[1:] != self.products.codes[:-1]
        return np.flatnonzero(starts)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content, independent of row order and file format."""
        digest = hashlib.sha256()
        core: dict[str, ColumnData | Days] = {
            "date": self.days,
            "store_id": self.stores,
            "product_id": self.products,
            "sales": self.sales,
        }
        columns: Iterator[tuple[str, ColumnData | Days]] = chain(core.items(), self.extras.items())
        for name, column in columns:
            digest.update(f"\x00{name}\x00".encode())
            if isinstance(column, CategoricalColumn):
                digest.update("\x00".join(column.values).encode())
            for start in range(0, len(column), ROW_GROUP_SIZE):
                digest.update(hash_bytes(column, slice(start, start + ROW_GROUP_SIZE)).data)
        return digest.hexdigest()

    def slice_to_arrow(self, rows: slice) -> pa.Table:
        """A slice of the rows as Arrow."""
        columns = {
            "date": pa.array(self.days[rows]).cast(pa.date32()),
            "store_id": self.stores.to_arrow(rows),
            "product_id": self.products.to_arrow(rows),
            "sales": pa.array(self.sales[rows], from_pandas=True),
        }
        for name in self.extras:
            column = self.extras.read_rows(name, rows)
            if isinstance(column, CategoricalColumn):
                columns[name] = column.to_arrow(slice(None))
            else:
                columns[name] = pa.array(column, from_pandas=True)
        return pa.table(columns)


def read_left_out(metadata: Mapping[bytes, bytes]) -> LeftOutSales:
    """What the imports left out, from the metadata of a canonical file or of a version's own."""
    return LeftOutSales.from_json(metadata.get(LEFT_OUT_KEY, b"").decode())


def hash_bytes(column: ColumnData | Days, rows: slice) -> npt.NDArray[Any]:
    """Rows as the hash sees them: little-endian, one bit pattern for NaN, no negative zero."""
    if isinstance(column, CategoricalColumn):
        return column.codes[rows].astype("<i4", copy=False)
    if column.dtype.kind == "f":
        return np.where(np.isnan(column[rows]), np.nan, column[rows] + 0.0).astype("<f8", copy=False)
    return column[rows].astype("<i4", copy=False)


def read_metadata(source: Path | pa.BufferReader) -> dict[bytes, bytes]:
    """What a parquet file says beside its rows."""
    with pq.ParquetFile(source) as file:
        return dict(file.metadata.metadata or {})
