"""Canonical content: sorted columns, their hash, and their parquet form."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.covariate_roles import ColumnRoles, propose_role
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.values import CategoricalColumn, Floats

Days = npt.NDArray[np.int32]
ROW_GROUP_SIZE = 1 << 17  # small enough that one store of a chain is read without the others


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
        """First and last day with a sale record; rows after it are a plan."""
        sold = self.days[~np.isnan(self.sales)]
        first, last = (dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in (sold.min(), sold.max()))
        return first, last

    @cached_property
    def series_starts(self) -> npt.NDArray[np.int64]:
        """[S] the row at which each series begins."""
        key = self.stores.codes.astype(np.int64) * len(self.products.values) + self.products.codes
        return np.flatnonzero(np.append(True, key[1:] != key[:-1]))

    def assign_roles(self, given: ColumnRoles) -> ColumnRoles:
        """The given roles, and a sensible one for every other extra column."""
        last = (self.date_range[1] - dt.date(1970, 1, 1)).days
        ahead = self.days > last
        roles = {}
        for name in self.extras:
            roles[name] = given.get(name) or self.propose_column_role(name, ahead)
        return roles

    def propose_column_role(self, name: str, is_future: npt.NDArray[np.bool_]) -> str:
        """The role that fits an extra column; `ahead` [N] marks the rows after the last sale."""
        column = self.extras[name]
        values = column.codes if isinstance(column, CategoricalColumn) else column
        if isinstance(column, CategoricalColumn):
            filled = np.array([bool(text.strip()) for text in column.values])[column.codes[is_future]]
        else:
            filled = ~np.isnan(column[is_future])
        return propose_role(name, values, self.series_starts, bool(filled.any()))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content, whatever the order of rows and the type of file it came in."""
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

    def write_parquet(self, path: Path) -> None:
        """The file: dates as date32, codes and texts as dictionaries, numbers as float64 or missing.

        A group of rows at a time: twenty million rows need little more than one of their groups.
        """
        bounds = ["date", "store_id", "product_id"]  # what a reader of a part of the rows looks at
        how = {"compression": "zstd", "compression_level": 1, "write_statistics": bounds}
        with pq.ParquetWriter(path, self.slice_to_arrow(slice(0, 0)).schema, **how) as writer:
            for start in range(0, self.row_count, ROW_GROUP_SIZE):
                writer.write_table(
                    self.slice_to_arrow(slice(start, start + ROW_GROUP_SIZE)), row_group_size=ROW_GROUP_SIZE
                )

    def slice_to_arrow(self, rows: slice) -> pa.Table:
        """Some rows as Arrow."""
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


def hash_bytes(column: ColumnData | Days, rows: slice) -> npt.NDArray[Any]:
    """What the hash sees of some rows: one order of bytes, one NaN, and no zero below zero."""
    if isinstance(column, CategoricalColumn):
        return column.codes[rows].astype("<i4", copy=False)
    if column.dtype.kind == "f":
        return np.where(np.isnan(column[rows]), np.nan, column[rows] + 0.0).astype("<f8", copy=False)
    return column[rows].astype("<i4", copy=False)
