"""Canonical content: sorted columns, their hash, and their parquet form."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.importing.roles import Roles, propose
from registry.importing.values import Floats, Texts

Column = Texts | Floats
Days = npt.NDArray[np.int32]
ROW_GROUP = 1 << 17  # small enough that one store of a chain is read without the others


@dataclass(frozen=True)
class Canonical:
    """[N] rows in order of store, product and day; extra columns in order of their names.

    Numbers are float64 with NaN for an empty cell, texts have "" for one.
    """

    days: Days
    stores: Texts
    products: Texts
    sales: Floats
    extras: dict[str, Column] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.days)

    @cached_property
    def span(self) -> tuple[dt.date, dt.date]:
        """First and last day with a sale record; rows after it are a plan."""
        sold = self.days[~np.isnan(self.sales)]
        first, last = (dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in (sold.min(), sold.max()))
        return first, last

    @cached_property
    def series(self) -> npt.NDArray[np.int64]:
        """[S] the row at which each series begins."""
        key = self.stores.codes.astype(np.int64) * len(self.products.values) + self.products.codes
        return np.flatnonzero(np.append(True, key[1:] != key[:-1]))

    def roles(self, given: Roles) -> Roles:
        """The given roles, and a sensible one for every other extra column."""
        last = (self.span[1] - dt.date(1970, 1, 1)).days
        ahead = self.days > last
        roles = {}
        for name, column in self.extras.items():
            values = column.codes if isinstance(column, Texts) else column
            filled = ~np.isnan(values) if values.dtype.kind == "f" else values >= 0
            roles[name] = given.get(name) or propose(name, values, self.series, bool((filled & ahead).any()))
        return roles

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content, whatever the order of rows and the type of file it came in."""
        digest = hashlib.sha256()
        named: dict[str, Column | Days] = {
            "date": self.days,
            "store_id": self.stores,
            "product_id": self.products,
            "sales": self.sales,
        }
        for name, column in {**named, **self.extras}.items():
            digest.update(f"\x00{name}\x00".encode())
            if isinstance(column, Texts):
                digest.update("\x00".join(column.values).encode())
                digest.update(column.codes.astype("<i4").tobytes())
            elif column.dtype.kind == "f":
                digest.update(np.where(np.isnan(column), np.nan, column + 0.0).astype("<f8").tobytes())
            else:
                digest.update(column.astype("<i4").tobytes())
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """The file: dates as date32, codes and texts as dictionaries, numbers as float64 or missing.

        A group of rows at a time: twenty million rows need little more than one of their groups.
        """
        with pq.ParquetWriter(path, self.table(slice(0, 0)).schema, compression="zstd") as writer:
            for start in range(0, self.rows, ROW_GROUP):
                writer.write_table(self.table(slice(start, start + ROW_GROUP)), row_group_size=ROW_GROUP)

    def table(self, rows: slice) -> pa.Table:
        """Some rows as Arrow."""
        columns = {
            "date": pa.array(self.days[rows]).cast(pa.date32()),
            "store_id": self.stores.arrow(rows),
            "product_id": self.products.arrow(rows),
            "sales": pa.array(self.sales[rows], from_pandas=True),
        }
        for name, column in self.extras.items():
            if isinstance(column, Texts):
                columns[name] = column.arrow(rows)
            else:
                columns[name] = pa.array(column[rows], from_pandas=True)
        return pa.table(columns)
