"""Adds a file to a dataset; its rows replace those of the same date, store and product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.values import CategoricalColumn, Floats, is_text_type

T = TypeVar("T", bound=np.generic)
RowPositions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowChanges:
    """How many rows a file adds and changes, and how many of its rows are there already."""

    added: int
    changed: int
    same: int


def load_canonical(path: Path) -> CanonicalTable:
    """The content of a canonical file; extra columns are read on demand."""
    with pq.ParquetFile(path, read_dictionary=["store_id", "product_id"]) as file:
        days = file.read(["date"])["date"].cast(pa.int32()).to_numpy()
        stores, products, sales = (read_column(file, name) for name in CORE_COLUMNS[1:])
        names = [name for name in file.schema_arrow.names if name not in CORE_COLUMNS]
        kinds = {name: is_text_type(file.schema_arrow.field(name).type) for name in names}
        extras = ExtraColumns(((name, ParquetColumn(path, name, kinds[name])) for name in names), len(days))
    return CanonicalTable(
        days, cast(CategoricalColumn, stores), cast(CategoricalColumn, products), cast(Floats, sales), extras
    )


@dataclass(frozen=True)
class ParquetColumn:
    """An extra column of a canonical file, read on demand."""

    path: Path
    name: str
    is_text: bool

    def read_rows(self, rows: slice, _count: int) -> ColumnData:
        """A slice of the rows."""
        with pq.ParquetFile(self.path) as file:
            column = read_column(file, self.name)
        return (
            CategoricalColumn(column.codes[rows], column.values)
            if isinstance(column, CategoricalColumn)
            else column[rows]
        )


def read_column(file: pq.ParquetFile, name: str) -> ColumnData:
    """One column; row groups of a canonical file share a sorted dictionary without unused values."""
    column = file.read([name])[name]
    if not is_text_type(column.type):
        return cast_floats(column)
    if not pa.types.is_dictionary(column.type) or not column.num_chunks or column.null_count:
        return CategoricalColumn.from_arrow(column)
    values = column.chunk(0).dictionary
    if not all(chunk.dictionary.equals(values) for chunk in column.chunks):
        return CategoricalColumn.from_arrow(column)
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    return CategoricalColumn(codes.astype(np.int32, copy=False), values.to_pylist())


def cast_floats(column: pa.ChunkedArray) -> Floats:
    """The numbers, NaN for an empty cell."""
    numbers: Floats = column.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    return numbers


def merge_tables(
    base: CanonicalTable, new: CanonicalTable, row_numbers: npt.NDArray[np.int32]
) -> tuple[CanonicalTable, npt.NDArray[np.int32], RowChanges]:
    """The merged content, the row number of each row in the file (0 = not from it), and the changes."""
    stores = sorted({*base.stores.values, *new.stores.values})
    products = sorted({*base.products.values, *new.products.values})
    first = int(min(base.days.min(), new.days.min()))
    span = int(max(base.days.max(), new.days.max())) - first + 1
    # both tables are in order of their keys, so one binary search finds where each new row belongs
    base_keys, new_keys = (build_row_keys(part, (stores, products), first, span) for part in (base, new))
    place = np.searchsorted(base_keys, new_keys)
    is_known = (place < len(base_keys)) & (base_keys[np.minimum(place, len(base_keys) - 1)] == new_keys)
    splice = RowSplicer(len(base_keys), place, is_known)
    extras = ExtraColumns(
        (name, splice.splice_column(name, base.extras.get(name), new.extras.get(name)))
        for name in sorted({*base.extras, *new.extras})
    )
    splice.mark_differences(base.sales, new.sales)
    merged = CanonicalTable(
        splice.splice_array(base.days, new.days),
        splice.splice_keys(base.stores, new.stores, stores),
        splice.splice_keys(base.products, new.products, products),
        splice.splice_array(base.sales, new.sales),
        extras,
    )
    rows = splice.splice_array(np.zeros(len(base_keys), np.int32), row_numbers)
    added, changed = int((~is_known).sum()), int(splice.is_changed.sum())
    return merged, rows, RowChanges(added, changed, len(new_keys) - added - changed)


def build_row_keys(
    part: CanonicalTable, names: tuple[list[str], list[str]], first: int, span: int
) -> RowPositions:
    """[N] one number for store, product and day; it grows in the order of the rows.

    `names` are all stores and products of both tables, `first` and `span` their first day and number of days.
    """
    stores, products = names
    # in place, because a temporary array of a large dataset takes 160 MB
    keys = recode_texts(part.stores, stores).astype(np.int64)
    keys *= len(products)
    keys += recode_texts(part.products, products)
    keys *= span
    keys += part.days - first
    return keys


def recode_texts(texts: CategoricalColumn, values: list[str]) -> npt.NDArray[np.int32]:
    """[N] codes of the texts among other values, which include all of them."""
    if texts.values == values:
        return texts.codes
    place = {name: number for number, name in enumerate(values)}
    return np.array([place[name] for name in texts.values], np.int32)[texts.codes]


class RowSplicer:
    """Merges sorted new rows into old ones: at `place` if they are known, else before it."""

    def __init__(self, count: int, place: RowPositions, known: npt.NDArray[np.bool_]) -> None:
        self.count, self.place, self.is_known = count, place, known
        self.is_changed = np.zeros(len(place), dtype=bool)

    def splice_array(self, old: npt.NDArray[T], new: npt.NDArray[T], keep: bool = False) -> npt.NDArray[T]:
        """The merged column; `keep` leaves known rows unchanged."""
        merged = old
        if self.is_known.any() and not keep:
            merged = old.copy()
            merged[self.place[self.is_known]] = new[self.is_known]
        if self.is_known.all():
            return merged
        return np.insert(merged, self.place[~self.is_known], new[~self.is_known])

    def splice_texts(
        self, old: CategoricalColumn, new: CategoricalColumn, values: list[str], keep: bool = False
    ) -> CategoricalColumn:
        """The merged text column; `values` are those of both columns."""
        codes = self.splice_array(recode_texts(old, values), recode_texts(new, values), keep)
        if self.is_known.any():  # a replaced text may have been the last of its kind
            return CategoricalColumn.from_codes(codes, values)
        return CategoricalColumn(codes, values)

    def splice_keys(
        self, old: CategoricalColumn, new: CategoricalColumn, values: list[str]
    ) -> CategoricalColumn:
        """The merged column of stores or products, whose values all stay in use."""
        return CategoricalColumn(
            self.splice_array(recode_texts(old, values), recode_texts(new, values)), values
        )

    def splice_column(self, name: str, old: ColumnData | None, new: ColumnData | None) -> ColumnData:
        """The merged extra column; a column that the file lacks stays as it was."""
        keep, there = new is None, len(self.place)
        if new is None:
            new = make_blank_column(old, there)
        if old is None:
            old = make_blank_column(new, self.count)
        if not keep:
            self.mark_differences(old, new)
        if isinstance(old, CategoricalColumn) and isinstance(new, CategoricalColumn):
            return self.splice_texts(old, new, sorted({*old.values, *new.values}), keep)
        if isinstance(old, CategoricalColumn) or isinstance(new, CategoricalColumn):
            raise SalesFileError(
                _("Column %(column)s held %(old)s so far but holds %(new)s in this file: use the same kind.")
                % {"column": name, "old": kind_label(old), "new": kind_label(new)}
            )
        return self.splice_array(old, new, keep)

    def mark_differences(self, old: ColumnData, new: ColumnData) -> None:
        """Marks known rows whose value differs; two empty cells are equal."""
        rows = self.place[self.is_known]
        if isinstance(old, CategoricalColumn) and isinstance(new, CategoricalColumn):
            left = np.array(old.values, object)[old.codes[rows]]
            self.is_changed[self.is_known] |= left != np.array(new.values, object)[new.codes[self.is_known]]
        elif not isinstance(old, CategoricalColumn) and not isinstance(new, CategoricalColumn):
            before, after = old[rows], new[self.is_known]
            self.is_changed[self.is_known] |= (before != after) & ~(np.isnan(before) & np.isnan(after))


def make_blank_column(like: ColumnData | None, count: int) -> ColumnData:
    """An empty column of the same kind as `like`."""
    return (
        CategoricalColumn(np.zeros(count, np.int32), [""])
        if isinstance(like, CategoricalColumn)
        else np.full(count, np.nan)
    )


def kind_label(column: ColumnData) -> str:
    """What a column holds, for messages."""
    return _("texts") if isinstance(column, CategoricalColumn) else _("numbers")
