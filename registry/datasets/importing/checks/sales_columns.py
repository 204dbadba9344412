"""The main columns of a file, each parsed when its first check runs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.calendars import refuse_undated
from registry.datasets.importing.canonical import Days
from registry.datasets.importing.checks.code_checks import tidy_code_column
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.dates import NO_DAY, DateColumn, convert_days, is_date_type
from registry.datasets.importing.decimal_marks import find_decimal_mark
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import DECIMAL_MARKS
from registry.datasets.importing.values import (
    CategoricalColumn,
    Codes,
    Floats,
    parse_numbers,
)

NamedColumns = dict[str, pa.ChunkedArray]  # columns of a file under our names
MAX_CODES = 100_000


class SalesColumns:
    """[N] rows of a file: days, codes of stores and products, and units, as far as they are parsed."""

    days: Days
    date_order: str
    sales: Floats  # NaN = empty or not a number
    decimal: str  # "point" or "comma"
    bad_dates: int = 0  # different texts that are no dates
    moments: Codes | None = None  # of dates that have a time: two sales of a day differ in it

    def __init__(self, log: FindingLog, table: NamedColumns, today: dt.date | None) -> None:
        self.log, self.table, self.today = log, table, today
        self.codes: dict[str, CategoricalColumn] = {}

    def parse_dates(self) -> Mask:
        """Sets the days; returns [N] where a cell is not a date. Raises AmbiguousValue."""
        column = self.table["date"]
        if is_date_type(column.type):
            self.days, self.date_order = convert_days(column), "ymd"
        else:
            require_flat(self.log, "date", column)
            self.days = self.parse_day_texts(CategoricalColumn.from_arrow(column))
        is_wrong: Mask = self.days == NO_DAY
        return is_wrong

    def parse_day_texts(self, texts: CategoricalColumn) -> Days:
        """Sets the order; returns [N] days. Raises AmbiguousValue, or SalesFileError for weeks and months."""
        raw, label = self.log.raw, self.log.column_label("date")
        first = np.zeros(len(texts.values), np.int64)
        first[texts.codes[::-1]] = raw.row_numbers[::-1]  # the last assignment wins, hence backwards
        by_row = np.argsort(first, kind="stable").tolist()  # messages name the first row in doubt
        rows = {texts.values[place].strip(): int(first[place]) for place in by_row[::-1]}
        column = DateColumn.from_texts([texts.values[place] for place in by_row])
        self.date_order = self.log.options.dates or column.find_order(raw.name, label, rows)
        days = np.empty(len(by_row), np.int32)
        days[by_row] = column.to_days(self.date_order, raw.file_format.get("epoch", "1900"))
        self.bad_dates = int((days == NO_DAY).sum())
        if 2 * self.bad_dates > len(days):
            refuse_undated(raw.name, label, column.texts, rows)
        if sum(":" in text for text in column.texts) > len(days) / 2 and len(np.unique(days)) < len(days):
            self.moments = texts.codes
        return days[texts.codes]

    def parse_sales(self) -> Mask:
        """Sets decimal mark and units; returns [N] where a cell is not a number. Raises AmbiguousValue."""
        self.decimal = self.log.options.decimal or find_decimal_mark(
            self.log.raw.name, self.table, self.log.column_names
        )
        self.sales, is_wrong = parse_numbers(self.table["sales"], DECIMAL_MARKS[self.decimal])
        return is_wrong

    def parse_codes(self, name: str) -> Mask:
        """Sets the codes of a column; returns [N] where a cell is empty."""
        require_flat(self.log, name, self.table[name])
        texts = tidy_code_column(self.log, name, self.table)
        if len(texts.values) > MAX_CODES:
            words = {
                "file": self.log.raw.name,
                "column": self.log.column_label(name),
                "count": len(texts.values),
            }
            raise SalesFileError(
                _("%(file)s, column %(column)s has %(count)d different codes: is it the right column?")
                % words
            )
        self.codes[name] = texts
        return np.array([not text.strip() for text in texts.values])[texts.codes]


def require_flat(log: FindingLog, name: str, column: pa.ChunkedArray) -> None:
    """Raises SalesFileError when a column holds lists or other nested values."""
    if pa.types.is_nested(column.type):
        raise SalesFileError(unfit_type_message(log.raw.name, name, column.type))


def unfit_type_message(file: str, column: str, kind: pa.DataType) -> str:
    """The complaint about a column whose type cannot be imported."""
    words = {"file": file, "column": column, "kind": kind}
    return (
        _("%(file)s, column %(column)s holds %(kind)s: only text, numbers and dates can be imported.") % words
    )
