"""Values: texts to days and numbers. Every distinct text is looked at once."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
DAY = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})([T ][\d:.]+Z?)?", re.ASCII)
PADDED = re.compile(r"[-+]?0\d")  # 00123 is a code, not a number
INFINITE = re.compile(r"[-+]?(inf|infinity)", re.IGNORECASE)
FLAGS = {"true": 1.0, "false": 0.0}
OLDEST, NEWEST = dt.date(1900, 1, 1), dt.date(2200, 1, 1)
NO_DAY = np.iinfo(np.int32).min

Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Texts:
    """A text column: `values[codes]`; values are distinct and sorted, nothing is missing (empty is "")."""

    codes: Codes
    values: list[str]

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Texts:
        """From any plain Arrow column."""
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        else:
            column = as_text(column).dictionary_encode()
        array = column.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0)
        codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        values = ["" if value is None else str(value) for value in array.dictionary.to_pylist()]
        return cls.sorted(codes, values)

    @classmethod
    def sorted(cls, codes: Codes, values: list[str]) -> Texts:
        """Only the values in use, in order, so that equal content has equal codes; code -1 means "".

        >>> Texts.sorted(np.array([1, 0, -1, 1], np.int32), ["b", "a", "unused"])
        Texts(codes=array([1, 2, 0, 1], dtype=int32), values=['', 'a', 'b'])
        """
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)) - 1  # quicker than np.unique
        names = {int(code): "" if code < 0 else values[code] for code in used}
        distinct = sorted(set(names.values()))
        place = {name: number for number, name in enumerate(distinct)}
        table = np.zeros(len(values) + 1, np.int32)
        table[used + 1] = [place[names[int(code)]] for code in used]
        return cls(table[codes + 1], distinct)

    def __getitem__(self, rows: npt.NDArray[np.int64] | slice) -> Texts:
        return Texts.sorted(self.codes[rows], self.values)

    def arrow(self) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(self.codes), pa.array(self.values, pa.string()))


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers, days and flags as people write them; ids that pandas made floats lose their “.0”."""
    if pa.types.is_floating(column.type) and pc.all(pc.equal(column, pc.round(column))).as_py():
        column = column.cast(pa.int64())
    return column.cast(pa.string())


def is_text(kind: pa.DataType) -> bool:
    """Whether the column holds texts, plain or dictionary-encoded."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def parse_day(text: str) -> int:
    """Days since 1970, or NO_DAY. Only orders that cannot be misread: year, month, day.

    >>> parse_day("2020-02-29"), parse_day("20200229"), parse_day("2020-02-29 00:00:00")
    (18321, 18321, 18321)
    >>> parse_day("2019-02-29") == parse_day("1/2/2020") == NO_DAY
    True
    """
    found = DAY.fullmatch(text.strip())
    if not found:
        return NO_DAY
    try:
        day = dt.date(int(found[1]), int(found[3]), int(found[4]))
    except ValueError:
        return NO_DAY
    return (day - dt.date(1970, 1, 1)).days if OLDEST <= day < NEWEST else NO_DAY


def parse_days(column: pa.ChunkedArray) -> Codes:
    """[N] days since 1970; NO_DAY where the cell is no date."""
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            column = pc.local_timestamp(column)
        days = column.cast(pa.date32(), safe=False).cast(pa.int32()).fill_null(NO_DAY).to_numpy()
        low, high = ((day - dt.date(1970, 1, 1)).days for day in (OLDEST, NEWEST))
        return np.where((days >= low) & (days < high), days, NO_DAY).astype(np.int32)
    texts = Texts.of(column)
    return np.array([parse_day(text) for text in texts.values], np.int32)[texts.codes]


def parse_number(text: str) -> float:
    """NaN when it is no number, ±inf when it is too large; an empty cell is the caller's business.

    >>> parse_number(" 1.5 "), parse_number("1e999"), parse_number("1_000"), parse_number("nan")
    (1.5, inf, nan, nan)
    """
    text = text.strip()
    if NUMBER.fullmatch(text) or INFINITE.fullmatch(text):
        return float(text)
    return FLAGS.get(text.lower(), float("nan"))


def parse_numbers(column: pa.ChunkedArray) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """[N] numbers (NaN = empty or bad) and [N] where the cell holds something that is no number."""
    if not is_text(column.type):
        return plain_numbers(column), np.zeros(len(column), dtype=bool)
    texts = Texts.of(column)
    values = np.array([parse_number(text) for text in texts.values])
    wrong = np.isnan(values) & np.array([bool(text.strip()) for text in texts.values])
    return values[texts.codes], wrong[texts.codes]


def plain_numbers(column: pa.ChunkedArray) -> Floats:
    """Numbers of a typed column. A 32-bit 5.97 becomes 5.97, as it would from CSV, and not 5.96999979."""
    narrow = pa.types.is_float32(column.type) or pa.types.is_float16(column.type)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    numbers = column.cast(pa.float64()).fill_null(float("nan")).to_numpy()
    if narrow:
        distinct, place = np.unique(numbers, return_inverse=True)
        numbers = np.array([float(str(np.float32(value))) for value in distinct])[place]
    return np.asarray(numbers, dtype=np.float64)


def looks_numeric(values: list[str]) -> bool:
    """Whether all texts but the empty ones are numbers (or true/false), none of them a code like 00123.

    >>> looks_numeric(["", "1", "2.5"]), looks_numeric(["0", "a"]), looks_numeric(["007"])
    (True, False, False)
    """
    return all(
        not text or (parse_number(text) == parse_number(text) and not PADDED.match(text)) for text in values
    )
