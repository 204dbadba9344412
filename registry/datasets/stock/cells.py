"""Cells of a stock or terms file as values: whatever is wrong is told with row, column and value.

Runs in the sandbox: no models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.code_texts import tidy_codes
from registry.datasets.importing.column_mapping import missing_column_message
from registry.datasets.importing.dates import NO_DAY, DateColumn, convert_days, is_date_type, parse_day
from registry.datasets.importing.decimal_marks import ambiguous_number_message, prove_mark
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.headers import normalize_name
from registry.datasets.importing.options import DECIMAL_MARKS, ImportOptions
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import CategoricalColumn, is_text_type, parse_numbers
from registry.datasets.stock.columns import FileColumn

Cells = list[Any]  # None = empty
WEEKDAYS = re.compile(r"[1-7]([,; ]+[1-7])*")


def match_names(raw: RawTable, columns: Sequence[FileColumn], given: dict[str, str]) -> dict[str, str]:
    """{our name: its name} of the columns that are there; raises SalesFileError for a missing one."""
    there, found = raw.table.column_names, dict(given)
    for ours, theirs in given.items():
        if theirs not in there or ours not in {column.name for column in columns}:
            raise SalesFileError(
                missing_column_message(raw.name, theirs if theirs not in there else ours, there)
            )
    for column in columns:
        names = [
            name for name in there if name not in found.values() and normalize_name(name) in column.names
        ]
        if column.name not in found and names:
            found[column.name] = names[0]
        if column.is_required and column.name not in found:
            raise SalesFileError(missing_column_message(raw.name, column.name, there))
    return found


class CellReader:
    """Reads the columns of one file."""

    def __init__(self, raw: RawTable, options: ImportOptions) -> None:
        self.raw, self.options = raw, options
        self.readers: dict[str, Callable[[FileColumn, str], Cells]] = {
            "code": self._read_codes,
            "text": self._read_texts,
            "number": self._read_numbers,
            "day": self._read_days,
            "weekdays": self._read_weekdays,
            "days": self._read_day_lists,
        }

    def read(self, columns: Sequence[FileColumn]) -> dict[str, Cells]:
        """The cells of each column, all empty where the file lacks it; raises SalesFileError."""
        mapping = match_names(self.raw, columns, self.options.mapping)
        empty: Cells = [None] * self.raw.table.num_rows
        return {
            column.name: self.readers[column.kind](column, mapping[column.name])
            if column.name in mapping
            else empty
            for column in columns
        }

    def refuse(self, row: int, column: str, value: object, why: str, limit: str = "") -> SalesFileError:
        """The error about a cell; `why` is a sentence with places for file, row, column and value."""
        words = {"file": self.raw.name, "row": int(self.raw.row_numbers[row]), "column": column}
        return SalesFileError(why % {**words, "value": value, "limit": limit})

    def _list_texts(self, name: str) -> list[str]:
        column = CategoricalColumn.from_arrow(self.raw.table[name])
        return [column.values[code] for code in column.codes.tolist()]

    def _read_texts(self, column: FileColumn, name: str) -> Cells:
        return [" ".join(text.split()) or None for text in self._list_texts(name)]

    def _read_codes(self, column: FileColumn, name: str) -> Cells:
        texts = self._list_texts(name)
        codes: Cells = [code.strip() or None for code in tidy_codes(texts, [True] * len(texts))]
        if column.is_required and None in codes:
            why = _("%(file)s, row %(row)d: the column %(column)s is empty.")
            raise self.refuse(codes.index(None), name, "", why)
        return codes

    def _read_numbers(self, column: FileColumn, name: str) -> Cells:
        cells, mark = self.raw.table[name], self.options.decimal
        if not mark and is_text_type(cells.type):
            proof = prove_mark(cells)
            if proof.unsure and not proof.mark:
                message = ambiguous_number_message(self.raw.name, name, proof.unsure)
                raise AmbiguousValue(message, "decimal", list(DECIMAL_MARKS))
            mark = proof.mark
        numbers, wrong = parse_numbers(cells, DECIMAL_MARKS[mark or "point"])
        wrong |= np.isinf(numbers)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            why = _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a number.")
            raise self.refuse(row, name, cells[row].as_py(), why)
        if column.least is not None or column.most is not None:
            self._require_limits(column, name, numbers)
        return [None if isnan(number) else number for number in numbers.tolist()]

    def _require_limits(self, column: FileColumn, name: str, numbers: np.ndarray[Any, Any]) -> None:
        least = -np.inf if column.least is None else column.least
        most = np.inf if column.most is None else column.most
        out = np.flatnonzero((numbers < least) | (numbers > most))
        if not len(out):
            return
        row, number = int(out[0]), float(numbers[out[0]])
        if number < least:
            why = _(
                "%(file)s, row %(row)d, column %(column)s: %(value)s is too small: use at least %(limit)s."
            )
            raise self.refuse(row, name, f"{number:g}", why, limit=f"{least:g}")
        why = _("%(file)s, row %(row)d, column %(column)s: %(value)s is too large: use at most %(limit)s.")
        raise self.refuse(row, name, f"{number:g}", why, limit=f"{most:g}")

    def _read_days(self, column: FileColumn, name: str) -> Cells:
        cells = self.raw.table[name]
        if is_date_type(cells.type):
            days = np.where(cells.is_null().to_numpy(), NO_DAY, convert_days(cells))
            return [None if day == NO_DAY else np.datetime64(int(day), "D").item() for day in days]
        texts = [text.strip() for text in self._list_texts(name)]
        distinct = sorted(set(filter(None, texts)))
        row_of = {text: int(self.raw.row_numbers[texts.index(text)]) for text in distinct[:1000]}
        dates = DateColumn.from_texts(distinct)
        order = self.options.dates or dates.find_order(self.raw.name, name, row_of)
        day_of = dict(zip(distinct, dates.to_days(order), strict=True))
        for row, text in enumerate(texts):
            if text and day_of[text] == NO_DAY:
                why = _("%(file)s, row %(row)d, column %(column)s: “%(value)s” is not a date.")
                raise self.refuse(row, name, text, why)
        return [np.datetime64(day_of[text], "D").item() if text else None for text in texts]

    def _read_weekdays(self, column: FileColumn, name: str) -> Cells:
        """Numbers from 1, Monday, to 7, Sunday, as "1,4"."""
        found: Cells = []
        for row, text in enumerate(self._list_texts(name)):
            plain = text.strip()
            if plain and not WEEKDAYS.fullmatch(plain):
                why = _(
                    "%(file)s, row %(row)d, column %(column)s: “%(value)s” names no weekdays: "
                    "write them as 1, Monday, to 7, Sunday, such as 1,4."
                )
                raise self.refuse(row, name, text, why)
            found.append(",".join(sorted(set(re.findall("[1-7]", plain)))) or None)
        return found

    def _read_day_lists(self, column: FileColumn, name: str) -> Cells:
        """Days as 2026-12-25 with spaces between them."""
        found: Cells = []
        for row, text in enumerate(self._list_texts(name)):
            days = re.split(r"[,; ]+", text.strip()) if text.strip() else []
            if any(parse_day(day) == NO_DAY for day in days):
                why = _(
                    "%(file)s, row %(row)d, column %(column)s: “%(value)s” are no days: "
                    "write them as 2026-12-25, with spaces between them."
                )
                raise self.refuse(row, name, text, why)
            found.append(" ".join(str(np.datetime64(parse_day(day), "D")) for day in days) or None)
        return found


def build_table(cells: dict[str, Cells], columns: Sequence[FileColumn]) -> pa.Table:
    """The cells as Arrow, of the type of each column."""
    kinds = {"number": pa.float64(), "day": pa.date32()}
    return pa.table(
        {column.name: pa.array(cells[column.name], kinds.get(column.kind, pa.string())) for column in columns}
    )
