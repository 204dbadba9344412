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
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.date_words import is_weekday
from registry.datasets.importing.dates import NO_DAY, DateColumn, convert_days, is_date_type
from registry.datasets.importing.decimal_marks import find_decimal_mark
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.findings import Example
from registry.datasets.importing.options import DECIMAL_MARKS
from registry.datasets.importing.values import (
    CategoricalColumn,
    Codes,
    Floats,
    distinct_texts,
    is_text_type,
    parse_numbers,
)

NamedColumns = dict[str, pa.ChunkedArray]  # columns of a file under our names
MAX_CODES = 100_000
MAX_WEEKDAYS = 14  # different words of a column of weekdays
MAX_PAUSE = 31  # days between the last day of a dataset and the first one of the next file
MIN_DENSITY = 0.5  # of all days from the first to the last of a file that goes on


class SalesColumns:
    """[N] rows of a file: days, codes of stores and products, and units, as far as they are parsed."""

    days: Days
    date_order: str
    sales: Floats  # NaN = empty or not a number
    decimal: str  # "point" or "comma"
    bad_dates: int = 0  # different texts that are no dates
    moments: Codes | None = None  # of dates that have a time: two sales of a day differ in it

    def __init__(
        self,
        log: FindingLog,
        table: NamedColumns,
        today: dt.date | None,
        known: tuple[int, int] | None = None,
    ) -> None:
        self.log, self.table, self.today, self.known = log, table, today, known
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
        if (decided := self.log.decided) is not None:
            self.date_order, self.bad_dates = decided.date_order, decided.bad_dates
            self.moments = texts.codes if decided.has_moments else None
            return np.array([decided.days[text] for text in texts.values], np.int32)[texts.codes]
        raw, label = self.log.raw, self.log.column_label("date")
        first = np.zeros(len(texts.values), np.int64)
        first[texts.codes[::-1]] = raw.row_numbers[::-1]  # the last assignment wins, hence backwards
        by_row = np.argsort(first, kind="stable").tolist()  # messages name the first row in doubt
        rows = {
            texts.values[place].strip(): raw.locate(Example(int(first[place]), "", "")).row
            for place in by_row[::-1]
        }
        column = DateColumn.from_texts(
            [texts.values[place] for place in by_row], self.find_weekdays_beside(texts)
        )
        self.date_order = self.log.options.dates or self.find_order(column, label, rows)
        days = np.empty(len(by_row), np.int32)
        days[by_row] = column.to_days(self.date_order, raw.file_format.get("epoch", "1900"))
        self.bad_dates = int((days == NO_DAY).sum())
        if 2 * self.bad_dates > len(days):
            refuse_undated(raw.name, label, column.texts, rows)
        if sum(":" in text for text in column.texts) > len(days) / 2 and len(np.unique(days)) < len(days):
            self.moments = texts.codes
        return days[texts.codes]

    def find_weekdays_beside(self, texts: CategoricalColumn) -> dict[str, str]:
        """{text of a date: the weekday in another column}; nothing without a column of weekdays."""
        for name, column in self.table.items():
            if name in CORE_COLUMNS or not is_text_type(column.type):
                continue
            words = distinct_texts(column)
            if 0 < len(words) <= MAX_WEEKDAYS and all(is_weekday(word) for word in words if word.strip()):
                beside = CategoricalColumn.from_arrow(column)
                rows = np.zeros(len(texts.values), np.int64)
                rows[texts.codes] = np.arange(len(texts.codes))
                return {
                    text: beside.values[beside.codes[row]]
                    for text, row in zip(texts.values, rows.tolist(), strict=True)
                }
        return {}

    def find_order(self, column: DateColumn, label: str, rows: dict[str, int]) -> str:
        """The order that the dates prove, else the usual one where their days go on from the dataset's."""
        try:
            return column.find_order(self.log.raw.name, label, rows)
        except AmbiguousValue as question:
            usual = self.log.options.usual_dates
            is_swapped = column.find_swap(column.find_orders()) is not None
            if usual in question.answers and self.known is not None and not is_swapped:
                days = {order: column.to_days(order) for order in question.answers}
                going_on = [order for order in question.answers if goes_on(days[order], self.known[1])]
                if going_on == [usual]:
                    return usual
            raise

    def parse_sales(self) -> Mask:
        """Sets decimal mark and units; returns [N] where a cell is not a number. Raises AmbiguousValue."""
        options = self.log.options
        try:
            self.decimal = (
                self.log.decided.decimal if self.log.decided else options.decimal
            ) or find_decimal_mark(self.log.raw.name, self.table, self.log.column_names)
        except AmbiguousValue:
            if options.usual_decimal not in DECIMAL_MARKS:
                raise
            self.decimal = options.usual_decimal
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


def goes_on(days: list[int], last: int) -> bool:
    """Whether days bring newer ones soon after the last one known, without many gaps.

    >>> goes_on([102, 103, 104], 101), goes_on([102, 133, 163], 101), goes_on([90, 91], 101)
    (True, False, False)
    """
    found = sorted({day for day in days if day != NO_DAY})
    if not found or found[-1] <= last or found[0] > last + MAX_PAUSE:
        return False
    return len(found) >= MIN_DENSITY * (found[-1] - found[0] + 1)


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
