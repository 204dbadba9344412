"""The main columns of a file, each parsed when its first check runs."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.checks.finding_log import FindingLog, Mask
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.dates import NO_DAY, convert_days, find_date_order, is_date_type, parse_days
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import DECIMAL_MARKS
from registry.datasets.importing.values import (
    CategoricalColumn,
    Floats,
    count_decimal_proofs,
    distinct_texts,
    is_text_type,
    parse_numbers,
)

NamedColumns = dict[str, pa.ChunkedArray]  # columns of a file under our names
MAX_CODES = 100_000
MAX_PROOF_TEXTS = 100_000  # different texts of a column that are searched for its decimal mark


class SalesColumns:
    """[N] rows of a file: days, codes of stores and products, and units, as far as they are parsed."""

    days: Days
    date_order: str
    sales: Floats  # NaN = empty or not a number
    decimal: str  # "point" or "comma"

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
            texts = CategoricalColumn.from_arrow(column)
            self.date_order = self.log.options.dates or self.detect_date_order(texts)
            self.days = parse_days(texts, self.date_order)
        is_wrong: Mask = self.days == NO_DAY
        return is_wrong

    def detect_date_order(self, texts: CategoricalColumn) -> str:
        """The order that the dates prove; its complaint names the first row of a date in doubt."""
        row_numbers = self.log.raw.row_numbers
        first = np.zeros(len(texts.values), np.int64)
        first[texts.codes[::-1]] = row_numbers[::-1]  # the last assignment wins, hence backwards
        rows = dict(zip((text.strip() for text in texts.values), first.tolist(), strict=True))
        return find_date_order(self.log.raw.name, self.log.column_label("date"), texts.values, rows)

    def parse_sales(self) -> Mask:
        """Sets decimal mark and units; returns [N] where a cell is not a number. Raises AmbiguousValue."""
        self.decimal = self.log.options.decimal or self.detect_decimal()
        self.sales, is_wrong = parse_numbers(self.table["sales"], DECIMAL_MARKS[self.decimal])
        return is_wrong

    def detect_decimal(self) -> str:
        """The decimal mark that any number of the file proves."""
        point = comma = 0
        unsure = ""
        for name, column in self.table.items():
            if name not in CORE_COLUMNS[:3] and is_text_type(column.type):
                points, commas, either = count_decimal_proofs(distinct_texts(column)[:MAX_PROOF_TEXTS])
                point, comma = point + points, comma + commas
                unsure = unsure or either if name == "sales" else unsure
        separator = self.log.raw.file_format.get("separator", ",")
        is_point = "." in unsure and separator == ","  # where commas separate cells, a point is decimal
        if unsure and not point and not comma and not is_point:
            words = {"file": self.log.raw.name, "column": self.log.column_label("sales"), "value": unsure}
            sentence = _(
                "%(file)s, column %(column)s: “%(value)s” may be a thousand or a fraction: choose "
                "the decimal mark."
            )
            raise AmbiguousValue(sentence % words, "decimal", list(DECIMAL_MARKS))
        return "comma" if comma > point else "point"

    def parse_codes(self, name: str) -> Mask:
        """Sets the codes of a column; returns [N] where a cell is empty."""
        require_flat(self.log, name, self.table[name])
        texts = CategoricalColumn.from_arrow(self.table[name])
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
