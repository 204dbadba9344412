"""Texts and numbers of cells; each distinct text is parsed once."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NUMBER_PATTERN = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
CURRENCY_PATTERN = re.compile(
    r"^(?P<sign>[-+]?)([¥$€£]|(EUR|USD|GBP|CHF|CNY|RMB)(?![A-Z]))\s*|\s*([元€£$]|EUR|USD|GBP|CHF|CNY|RMB)$"
)
NEGATIVE_PATTERN = re.compile(r"\(([^-+()]+)\)|([^-+()]+)-")  # accounting style
AMBIGUOUS_NUMBER = re.compile(r"[-+]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)  # 1,234 may be 1234 or 1.234
DECIMAL_POINT = re.compile(r"[-+]?(\d{1,3}(,\d{3})+(\.\d*)?|\d*\.\d+)", re.ASCII)
DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+(,\d*)?|\d*,\d+)", re.ASCII)
ZERO_PADDED = re.compile(r"[-+]?0\d")  # 00123 is a code, not a number
INFINITY_PATTERN = re.compile(r"[-+]?(inf|infinity)", re.IGNORECASE)
BOOLEAN_VALUES = {"true": 1.0, "false": 0.0}
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]


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
        array = column.combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = array.chunk(0)
        codes = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        values = ["" if value is None else str(value) for value in array.dictionary.to_pylist()]
        return cls.from_codes(codes, values)

    @classmethod
    def from_codes(cls, codes: Codes, values: list[str]) -> CategoricalColumn:
        """Only the values in use, in order, so that equal content has equal codes; code -1 means "".

        >>> CategoricalColumn.from_codes(np.array([1, 0, -1, 1], np.int32), ["b", "a", "unused"])
        CategoricalColumn(codes=array([1, 2, 0, 1], dtype=int32), values=['', 'a', 'b'])
        """
        used = np.flatnonzero(np.bincount(codes + 1, minlength=len(values) + 1)) - 1  # faster than np.unique
        names = {int(code): "" if code < 0 else values[code] for code in used}
        distinct = sorted(set(names.values()))
        place = {name: number for number, name in enumerate(distinct)}
        table = np.zeros(len(values) + 1, np.int32)
        table[used + 1] = [place[names[int(code)]] for code in used]
        return cls(table[codes + 1], distinct)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: npt.NDArray[np.int64] | slice) -> CategoricalColumn:
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


def normalize_number(text: str, decimal: str = ".") -> str:
    """A number as Python writes it: without currency signs and thousands separators.

    >>> [normalize_number(text) for text in ("¥1,234.50", "１２", "1,5")]
    ['1234.50', '12', '1,5']
    >>> [normalize_number(text, ",") for text in ("1.234,5", "1 234")]
    ['1234.5', '1234']
    >>> [normalize_number(text) for text in ("12-", "(1,250.00)", "-€ 3", "1’250.5 CHF", "5 Stk")]
    ['-12', '-1250.00', '-3', '1250.5', '5 Stk']
    """
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("−", "-")
    text = CURRENCY_PATTERN.sub(lambda match: match["sign"] or "", text)
    if negative := NEGATIVE_PATTERN.fullmatch(text):
        text = "-" + CURRENCY_PATTERN.sub("", (negative[1] or negative[2]).strip())
    if text.isdigit():
        return text
    thousands = "." if decimal == "," else ","
    for mark in (thousands, " ", "'", "’"):
        if re.fullmatch(rf"[-+]?\d{{1,3}}({re.escape(mark)}\d{{3}})+({re.escape(decimal)}\d*)?", text):
            text = text.replace(mark, "")
    return text.replace(",", ".") if decimal == "," and "." not in text else text


def parse_number(text: str, decimal: str = ".") -> float:
    """The number of a text: NaN when it is empty or not a number, ±inf when it is too large.

    >>> parse_number(" 1.5 "), parse_number("1e999"), parse_number("1_000"), parse_number("nan")
    (1.5, inf, nan, nan)
    """
    text = normalize_number(text, decimal)
    if NUMBER_PATTERN.fullmatch(text) or INFINITY_PATTERN.fullmatch(text):
        return float(text)
    return BOOLEAN_VALUES.get(text.lower(), float("nan"))


def parse_numbers(column: pa.ChunkedArray, decimal: str = ".") -> tuple[Floats, npt.NDArray[np.bool_]]:
    """[N] numbers (NaN = empty or wrong), and [N] where a cell is filled but not a number."""
    if not is_text_type(column.type):
        return to_floats(column), np.zeros(len(column), dtype=bool)
    texts = CategoricalColumn.from_arrow(column)
    values = np.array([parse_number(text, decimal) for text in texts.values])
    wrong = np.isnan(values) & np.array([bool(text.strip()) for text in texts.values])
    return values[texts.codes], wrong[texts.codes]


def distinct_texts(column: pa.ChunkedArray) -> list[str]:
    """The distinct texts of a column, sorted."""
    if pa.types.is_dictionary(column.type):
        parts = [chunk.dictionary for chunk in column.chunks]
        column = pa.chunked_array(parts, column.type.value_type)
    return sorted(text for text in column.unique().to_pylist() if text is not None)


def count_decimal_proofs(texts: list[str]) -> tuple[int, int, str]:
    """How many texts prove a decimal point, how many a decimal comma, and the first that can be either.

    >>> count_decimal_proofs(["1.5", "2,25", "1,234", "7"])
    (1, 1, '1,234')
    """
    point = comma = 0
    unsure = ""
    for text in texts:
        bare = CURRENCY_PATTERN.sub("", text.strip()).strip("-+() ")
        if AMBIGUOUS_NUMBER.fullmatch(bare):
            unsure = unsure or text
        elif DECIMAL_POINT.fullmatch(bare):
            point += 1
        elif DECIMAL_COMMA.fullmatch(bare):
            comma += 1
    return point, comma, unsure


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


def are_numeric(values: list[str], decimal: str = ".") -> bool:
    """Whether all non-empty texts are numbers or true/false, and none is a code like 00123.

    >>> are_numeric(["", "1", "2.5"]), are_numeric(["0", "a"]), are_numeric(["007"])
    (True, False, False)
    """
    return all(
        not text.strip()
        or (parse_number(text, decimal) == parse_number(text, decimal) and not ZERO_PADDED.match(text))
        for text in values
    )
