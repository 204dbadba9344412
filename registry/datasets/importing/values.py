"""Texts and numbers of cells; each distinct text is parsed once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from registry.datasets.importing.number_texts import is_missing, parse_number

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
BLOCK_ROWS = 1 << 20  # of a large file at a time, which has no room for a copy of a column


@dataclass(frozen=True)
class CategoricalColumn:
    """A text column `values[codes]`; values are distinct and sorted, an empty cell is ""."""

    codes: Codes
    values: list[str]

    @classmethod
    def from_arrow(cls, column: pa.ChunkedArray) -> CategoricalColumn:
        """The texts of an Arrow column of any flat type."""
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        else:
            column = to_texts(column).dictionary_encode()
        codes = np.empty(len(column), np.int32)
        place = 0
        for chunk in column.chunks:
            codes[place : place + len(chunk)] = chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            place += len(chunk)
        values = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
        return cls.from_codes(codes, ["" if value is None else str(value) for value in values])

    @classmethod
    def from_codes(cls, codes: Codes, values: list[str]) -> CategoricalColumn:
        """Only the values in use, in order, so that equal content has equal codes; code -1 means "".

        >>> CategoricalColumn.from_codes(np.array([1, 0, -1, 1], np.int32), ["b", "a", "unused"])
        CategoricalColumn(codes=array([1, 2, 0, 1], dtype=int32), values=['', 'a', 'b'])
        """
        is_used = np.zeros(len(values) + 1, dtype=bool)  # faster than np.unique
        for start in range(0, len(codes), BLOCK_ROWS):
            is_used[codes[start : start + BLOCK_ROWS] + 1] = True
        used = np.flatnonzero(is_used) - 1
        names = {int(code): "" if code < 0 else values[code] for code in used}
        distinct = sorted(set(names.values()))
        place = {name: number for number, name in enumerate(distinct)}
        table = np.zeros(len(values) + 1, np.int32)
        table[used + 1] = [place[names[int(code)]] for code in used]
        placed = np.empty(len(codes), np.int32)
        for start in range(0, len(codes), BLOCK_ROWS):
            placed[start : start + BLOCK_ROWS] = table[codes[start : start + BLOCK_ROWS] + 1]
        return cls(placed, distinct)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: npt.NDArray[np.int32 | np.int64] | slice) -> CategoricalColumn:
        return CategoricalColumn.from_codes(self.codes[rows], self.values)

    def to_arrow(self, rows: slice) -> pa.DictionaryArray:
        """A slice of the rows as Arrow."""
        return pa.DictionaryArray.from_arrays(pa.array(self.codes[rows]), pa.array(self.values, pa.string()))


def to_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers, dates and flags as text; ids that pandas turned into floats lose their “.0”."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.round(column))).as_py():
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def is_text_type(kind: pa.DataType) -> bool:
    """Whether a column holds text, plain or dictionary-encoded."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def parse_numbers(column: pa.ChunkedArray, decimal: str = ".") -> tuple[Floats, npt.NDArray[np.bool_]]:
    """[N] numbers (NaN = empty or wrong), and [N] where a cell is filled but not a number.

    A cell that says it has no value, such as NULL, is empty: see find_missing_values().
    """
    if not is_text_type(column.type):
        return to_floats(column), np.zeros(len(column), dtype=bool)
    texts = CategoricalColumn.from_arrow(column)
    values = np.array([parse_number(text, decimal) for text in texts.values])
    wrong = np.isnan(values) & np.array(
        [bool(text.strip()) and not is_missing(text) for text in texts.values]
    )
    return values[texts.codes], wrong[texts.codes]


def find_missing_values(column: pa.ChunkedArray) -> npt.NDArray[np.bool_] | None:
    """[N] where a text says that there is no value, such as NULL; None when no cell does."""
    if not is_text_type(column.type) or not any(map(is_missing, distinct_texts(column))):
        return None
    texts = CategoricalColumn.from_arrow(column)
    return np.array([is_missing(text) for text in texts.values])[texts.codes]


def distinct_texts(column: pa.ChunkedArray) -> list[str]:
    """The distinct texts of a column, sorted."""
    if pa.types.is_dictionary(column.type):
        parts = [chunk.dictionary for chunk in column.chunks]
        column = pa.chunked_array(parts, column.type.value_type)
    return sorted(text for text in column.unique().to_pylist() if text is not None)


def to_floats(column: pa.ChunkedArray) -> Floats:
    """Numbers of a numeric column; a 32-bit 5.97 becomes 5.97 as from CSV, not 5.96999979."""
    narrow = pa.types.is_float32(column.type) or pa.types.is_float16(column.type)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    numbers = column.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    if narrow:
        distinct, place = np.unique(numbers, return_inverse=True)
        numbers = np.array([float(str(np.float32(value))) for value in distinct])[place]
    return np.asarray(numbers, dtype=np.float64)


def find_recorded(sales: Floats) -> npt.NDArray[np.int32 | np.int64]:
    """[R] the rows with sales, in as few bytes as their number allows."""
    if np.isnan(sales).any():
        return np.flatnonzero(~np.isnan(sales))
    return np.arange(len(sales), dtype=np.int32 if len(sales) < np.iinfo(np.int32).max else np.int64)
