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

from registry.datasets.importing.covariate_roles import Roles, propose
from registry.datasets.importing.extra_columns import Column, Extras
from registry.datasets.importing.values import Floats, Texts

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
    extras: Extras = field(default_factory=Extras)

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
        for name in self.extras:
            roles[name] = given.get(name) or self.proposed(name, ahead)
        return roles

    def proposed(self, name: str, ahead: npt.NDArray[np.bool_]) -> str:
        """The role that fits an extra column; `ahead` [N] marks the rows after the last sale."""
        column = self.extras[name]
        values = column.codes if isinstance(column, Texts) else column
        if isinstance(column, Texts):
            filled = np.array([bool(text.strip()) for text in column.values])[column.codes[ahead]]
        else:
            filled = ~np.isnan(column[ahead])
        return propose(name, values, self.series, bool(filled.any()))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the content, whatever the order of rows and the type of file it came in."""
        digest = hashlib.sha256()
        core: dict[str, Column | Days] = {
            "date": self.days,
            "store_id": self.stores,
            "product_id": self.products,
            "sales": self.sales,
        }
        columns: Iterator[tuple[str, Column | Days]] = chain(core.items(), self.extras.items())
        for name, column in columns:
            digest.update(f"\x00{name}\x00".encode())
            if isinstance(column, Texts):
                digest.update("\x00".join(column.values).encode())
            for start in range(0, len(column), ROW_GROUP):
                digest.update(plain_bytes(column, slice(start, start + ROW_GROUP)).data)
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """The file: dates as date32, codes and texts as dictionaries, numbers as float64 or missing.

        A group of rows at a time: twenty million rows need little more than one of their groups.
        """
        bounds = ["date", "store_id", "product_id"]  # what a reader of a part of the rows looks at
        how = {"compression": "zstd", "compression_level": 1, "write_statistics": bounds}
        with pq.ParquetWriter(path, self.table(slice(0, 0)).schema, **how) as writer:
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
        for name in self.extras:
            column = self.extras.some(name, rows)
            if isinstance(column, Texts):
                columns[name] = column.arrow(slice(None))
            else:
                columns[name] = pa.array(column, from_pandas=True)
        return pa.table(columns)


def plain_bytes(column: Column | Days, rows: slice) -> npt.NDArray[Any]:
    """What the hash sees of some rows: one order of bytes, one NaN, and no zero below zero."""
    if isinstance(column, Texts):
        return column.codes[rows].astype("<i4", copy=False)
    if column.dtype.kind == "f":
        return np.where(np.isnan(column[rows]), np.nan, column[rows] + 0.0).astype("<f8", copy=False)
    return column[rows].astype("<i4", copy=False)
