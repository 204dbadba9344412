"""Text columns of parts: dictionaries in order, one for all parts that are read together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SERIES_COLUMNS = ("store_id", "product_id")
TEXT_TYPE = pa.dictionary(pa.int32(), pa.string())


class TextCodes:
    """Codes of texts that grow with every batch; an empty cell is ""."""

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        self.texts: list[str] = []

    def encode(self, column: pa.Array) -> npt.NDArray[np.int32]:
        """[N] codes of a text column of any kind."""
        if not pa.types.is_dictionary(column.type):
            column = column.cast(pa.string()).dictionary_encode()
        codes = column.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        values = ["" if value is None else str(value) for value in column.dictionary.to_pylist()]
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1))
        table = np.zeros(len(values) + 1, np.int32)
        table[used] = [self._find("" if place == 0 else values[place - 1]) for place in used]
        encoded: npt.NDArray[np.int32] = table[codes + 1]
        return encoded

    def _find(self, text: str) -> int:
        found = self.places.setdefault(text, len(self.texts))
        if found == len(self.texts):
            self.texts.append(text)
        return found


def decode_texts(codes: npt.NDArray[np.int32], texts: Sequence[str]) -> pa.DictionaryArray:
    """The texts of the codes; the dictionary holds the used ones in order."""
    used = np.flatnonzero(np.bincount(codes, minlength=len(texts)))
    order = sorted(used.tolist(), key=texts.__getitem__)
    place = np.zeros(len(texts), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return pa.DictionaryArray.from_arrays(place[codes], pa.array([texts[one] for one in order], pa.string()))


def join_tables(tables: Sequence[pa.Table]) -> pa.Table:
    """The rows of all tables with the columns of all; their texts share one dictionary in order."""
    names = list(dict.fromkeys(name for table in tables for name in table.column_names))
    core = [name for name in names if name in ("date", *SERIES_COLUMNS, "sales")]
    names = [*core, *sorted(set(names) - set(core))]  # a part may lack a column that a later file brought
    return pa.table(
        {name: join_columns([find_column(table, name, tables) for table in tables]) for name in names}
    )


def find_column(table: pa.Table, name: str, tables: Sequence[pa.Table]) -> pa.ChunkedArray:
    """A column of a table; an empty one where the table has none."""
    if name in table.column_names:
        return table[name]
    kind = next(other.schema.field(name).type for other in tables if name in other.column_names)
    if not pa.types.is_dictionary(kind):
        return pa.chunked_array([pa.nulls(table.num_rows, kind)])
    blank = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), pa.array([""]))
    return pa.chunked_array([blank])


def join_columns(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """One column of all rows."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    if not chunks:
        return columns[0]
    if not pa.types.is_dictionary(chunks[0].type):
        return pa.chunked_array(chunks, chunks[0].type)
    dictionaries = [chunk.dictionary for chunk in chunks]
    if all(one.equals(dictionaries[0]) for one in dictionaries[1:]):
        return pa.chunked_array(chunks)
    values = sorted({text for one in dictionaries for text in one.to_pylist()})
    place = {value: number for number, value in enumerate(values)}
    shared, found = pa.array(values, pa.string()), []
    for chunk in chunks:
        table = np.array([place[value] for value in chunk.dictionary.to_pylist()], np.int32)
        codes = chunk.indices.to_numpy(zero_copy_only=False)
        found.append(pa.DictionaryArray.from_arrays(table[codes] if len(table) else codes, shared))
    return pa.chunked_array(found)


def sort_by_series(table: pa.Table) -> pa.Table:
    """The rows in order of store, product and day; the table holds sorted runs, as read from parts."""
    store, product = (read_codes(table[name]) for name in SERIES_COLUMNS)
    order = find_order(store, product, table["date"].cast(pa.int32()).to_numpy())
    return table if order is None else table.take(pa.array(order))


def find_order(
    stores: npt.NDArray[np.int32], products: npt.NDArray[np.int32], days: npt.NDArray[np.int32]
) -> npt.NDArray[np.int64] | None:
    """[N] the rows in order of store, product and day; None if they stand in it."""
    if not len(days):
        return None
    first, last = int(days.min()), int(days.max())
    keys = stores.astype(np.int64)  # in place from here on: a copy for 13 million rows takes 100 MB
    keys *= int(products.max()) + 1
    keys += products
    keys *= last - first + 1
    keys += days - first
    return None if np.all(keys[1:] >= keys[:-1]) else np.argsort(keys, kind="stable")


def read_codes(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """[N] codes of a text column whose chunks share a dictionary."""
    codes = [chunk.indices.to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.concatenate(codes) if codes else np.zeros(0, np.int32)
