"""Newer days into a dataset: rows of the file take the place of those of the same date, store and product."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import Canonical
from registry.datasets.importing.covariate_roles import CORE
from registry.datasets.importing.errors import SalesError
from registry.datasets.importing.extra_columns import Column, Extras
from registry.datasets.importing.values import Floats, Texts, is_text

T = TypeVar("T", bound=np.generic)
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Changes:
    """What adding a file does to a dataset, in rows."""

    added: int
    changed: int
    same: int


def load(path: Path) -> Canonical:
    """A canonical file as it was saved."""
    with pq.ParquetFile(path, read_dictionary=["store_id", "product_id"]) as file:
        days = file.read(["date"])["date"].cast(pa.int32()).to_numpy()
        stores, products, sales = (column_of(file, name) for name in CORE[1:])
        names = [name for name in file.schema_arrow.names if name not in CORE]
        kinds = {name: is_text(file.schema_arrow.field(name).type) for name in names}
        extras = Extras(((name, Saved(path, name, kinds[name])) for name in names), len(days))
    return Canonical(days, cast(Texts, stores), cast(Texts, products), cast(Floats, sales), extras)


@dataclass(frozen=True)
class Saved:
    """An extra column of a canonical file, read when it is asked for."""

    path: Path
    name: str
    is_text: bool

    def some(self, rows: slice, _count: int) -> Column:
        with pq.ParquetFile(self.path) as file:
            column = column_of(file, self.name)
        return Texts(column.codes[rows], column.values) if isinstance(column, Texts) else column[rows]


def column_of(file: pq.ParquetFile, name: str) -> Column:
    """One column; the groups of a file of ours share their dictionary, which is sorted and in use."""
    column = file.read([name])[name]
    if not is_text(column.type):
        return floats(column)
    if not pa.types.is_dictionary(column.type) or not column.num_chunks or column.null_count:
        return Texts.of(column)
    values = column.chunk(0).dictionary
    if not all(chunk.dictionary.equals(values) for chunk in column.chunks):
        return Texts.of(column)
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])
    return Texts(codes.astype(np.int32, copy=False), values.to_pylist())


def floats(column: pa.ChunkedArray) -> Floats:
    found: Floats = column.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    return found


def merge(
    base: Canonical, new: Canonical, numbers: npt.NDArray[np.int32]
) -> tuple[Canonical, npt.NDArray[np.int32], Changes]:
    """The dataset with the file in it, the number of each row in the file (0 = not from it), what changed."""
    stores = sorted({*base.stores.values, *new.stores.values})
    products = sorted({*base.products.values, *new.products.values})
    first = int(min(base.days.min(), new.days.min()))
    span = int(max(base.days.max(), new.days.max())) - first + 1
    here, there = (key(part, (stores, products), first, span) for part in (base, new))
    place = np.searchsorted(here, there)
    known = (place < len(here)) & (here[np.minimum(place, len(here) - 1)] == there)
    splice = Splice(len(here), place, known)
    extras = Extras(
        (name, splice.column(name, base.extras.get(name), new.extras.get(name)))
        for name in sorted({*base.extras, *new.extras})
    )
    splice.compare(base.sales, new.sales)
    merged = Canonical(
        splice.array(base.days, new.days),
        splice.keys(base.stores, new.stores, stores),
        splice.keys(base.products, new.products, products),
        splice.array(base.sales, new.sales),
        extras,
    )
    rows = splice.array(np.zeros(len(here), np.int32), numbers)
    added, changed = int((~known).sum()), int(splice.differ.sum())
    return merged, rows, Changes(added, changed, len(there) - added - changed)


def key(part: Canonical, names: tuple[list[str], list[str]], first: int, span: int) -> Places:
    """[N] one number for store, product and day, in the order of the rows."""
    stores, products = names
    found = codes_among(part.stores, stores).astype(np.int64)
    found *= len(products)
    found += codes_among(part.products, products)
    found *= span
    found += part.days - first
    return found


def codes_among(texts: Texts, values: list[str]) -> npt.NDArray[np.int32]:
    """[N] the place of each row's text among more values."""
    if texts.values == values:
        return texts.codes
    place = {name: number for number, name in enumerate(values)}
    return np.array([place[name] for name in texts.values], np.int32)[texts.codes]


class Splice:
    """Puts sorted new rows among sorted old ones: over the old row where it is known, else before `place`."""

    def __init__(self, count: int, place: Places, known: npt.NDArray[np.bool_]) -> None:
        self.count, self.place, self.known = count, place, known
        self.differ = np.zeros(len(place), dtype=bool)

    def array(self, old: npt.NDArray[T], new: npt.NDArray[T], keep: bool = False) -> npt.NDArray[T]:
        """With `keep` a known row stays as it was."""
        whole = old
        if self.known.any() and not keep:
            whole = old.copy()
            whole[self.place[self.known]] = new[self.known]
        if self.known.all():
            return whole
        return np.insert(whole, self.place[~self.known], new[~self.known])

    def codes(self, old: Texts, new: Texts, values: list[str], keep: bool = False) -> Texts:
        whole = self.array(codes_among(old, values), codes_among(new, values), keep)
        return Texts.sorted(whole, values) if self.known.any() else Texts(whole, values)

    def keys(self, old: Texts, new: Texts, values: list[str]) -> Texts:
        """As `codes`, when every value stays in use."""
        return Texts(self.array(codes_among(old, values), codes_among(new, values)), values)

    def column(self, name: str, old: Column | None, new: Column | None) -> Column:
        """An extra column; what the file does not tell stays as it was."""
        keep, there = new is None, len(self.place)
        if new is None:
            new = blank(old, there)
        if old is None:
            old = blank(new, self.count)
        if not keep:
            self.compare(old, new)
        if isinstance(old, Texts) and isinstance(new, Texts):
            return self.codes(old, new, sorted({*old.values, *new.values}), keep)
        if isinstance(old, Texts) or isinstance(new, Texts):
            raise SalesError(
                _("Column %(column)s held %(old)s so far and holds %(new)s in this file: make them alike.")
                % {"column": name, "old": kind(old), "new": kind(new)}
            )
        return self.array(old, new, keep)

    def compare(self, old: Column, new: Column) -> None:
        """Marks the known rows whose value differs."""
        rows = self.place[self.known]
        if isinstance(old, Texts) and isinstance(new, Texts):
            left = np.array(old.values, object)[old.codes[rows]]
            self.differ[self.known] |= left != np.array(new.values, object)[new.codes[self.known]]
        elif not isinstance(old, Texts) and not isinstance(new, Texts):
            before, after = old[rows], new[self.known]
            self.differ[self.known] |= (before != after) & ~(np.isnan(before) & np.isnan(after))


def blank(like: Column | None, count: int) -> Column:
    """A column without a value, of the kind of another."""
    return Texts(np.zeros(count, np.int32), [""]) if isinstance(like, Texts) else np.full(count, np.nan)


def kind(column: Column) -> str:
    return _("texts") if isinstance(column, Texts) else _("numbers")
