"""Decides from all different texts of a large file how its columns are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.batches.encoded import EncodedFile, EncodedTexts
from registry.datasets.importing.checks.code_checks import shortened_message
from registry.datasets.importing.checks.covariate_checks import judge_texts
from registry.datasets.importing.checks.decisions import Decisions, ExtraKind
from registry.datasets.importing.checks.finding_log import FindingLog
from registry.datasets.importing.checks.joined_cells import FILL_DOWN_SHARE
from registry.datasets.importing.checks.sales_columns import SalesColumns
from registry.datasets.importing.checks.spelling import collapse_spaces, pick_most_frequent
from registry.datasets.importing.code_texts import is_shortened, tidy_codes
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.dates import is_date_type
from registry.datasets.importing.decimal_marks import choose_mark, find_decimal_mark
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import DECIMAL_MARKS, ImportOptions
from registry.datasets.importing.raw_table import RawTable

CODE_COLUMNS = ("store_id", "product_id")
MAX_CODES = 100_000


class Decider:
    """The columns of a large file under our names; `table` holds its first rows under them."""

    def __init__(
        self, file: EncodedFile, table: pa.Table, names: Mapping[str, str], options: ImportOptions
    ) -> None:
        self.file, self.table, self.options = file, table, options
        self.theirs = {name: names.get(name, name) for name in table.column_names}
        self.texts = {
            ours: file.texts[theirs] for ours, theirs in self.theirs.items() if theirs in file.texts
        }
        self.columns = {
            name: self.texts[name].to_column() if name in self.texts else table[name]
            for name in table.column_names
        }
        labels = {ours: theirs for ours, theirs in self.theirs.items() if ours != theirs}
        self.log = FindingLog(
            RawTable(file.name, table.schema.empty_table(), np.zeros(0, np.int32)), options, labels
        )

    def decide(self, today: dt.date | None, known: tuple[int, int] | None) -> Decisions:
        """What the file says; raises SalesFileError, or AmbiguousValue where only a person can tell."""
        self.refuse_joined_cells()
        date_order, days, bad_dates, has_moments = self.read_days(today, known)
        decimal = self.find_decimal()
        tidied = {name: self.tidy_codes(name) for name in CODE_COLUMNS if name in self.texts}
        spellings = {
            name: pick_most_frequent(self.count_codes(name, texts)) for name, texts in tidied.items()
        }
        extras = {
            name: self.judge_extra(name, DECIMAL_MARKS[decimal])
            for name in self.columns
            if name not in CORE_COLUMNS
        }
        return Decisions(date_order, decimal, days, bad_dates, has_moments, tidied, spellings, extras)

    def refuse_joined_cells(self) -> None:
        """Raises SalesFileError for a column that is filled only in the first of several rows."""
        for name in ("date", *CODE_COLUMNS):
            if (texts := self.texts.get(name)) is None:
                continue
            blank = np.array([not text.strip() for text in texts.codes.texts], dtype=bool)
            if texts.counts[blank].sum() > FILL_DOWN_SHARE * self.file.row_count:
                words = {"file": self.file.name, "column": self.theirs[name]}
                sentence = _(
                    "%(file)s, column %(column)s is empty in many rows: fill them, or split the file "
                    "by month."
                )
                raise SalesFileError(sentence % words)

    def read_days(
        self, today: dt.date | None, known: tuple[int, int] | None
    ) -> tuple[str, dict[str, int], int, bool]:
        """The order of dates, {text: day}, how many texts are no dates, and whether they have a time."""
        if "date" not in self.texts:
            column = self.columns["date"]
            if is_date_type(column.type):
                return "ymd", {}, 0, False
            self.file.encode_codes(self.theirs["date"])  # days as numbers, such as 20260131
            self.texts["date"] = self.file.texts[self.theirs["date"]]
        texts = self.texts["date"]
        column = texts.to_column()
        raw = RawTable(self.file.name, self.table.schema.empty_table(), texts.first_rows)
        self.log.raw = raw
        columns = SalesColumns(self.log, {"date": column}, today, known)
        columns.parse_dates()
        days = dict(zip(texts.codes.texts, columns.days.tolist(), strict=True))
        return columns.date_order, days, columns.bad_dates, columns.moments is not None

    def find_decimal(self) -> str:
        """ "point" or "comma"; raises AmbiguousValue."""
        if self.options.decimal:
            return self.options.decimal
        try:
            return find_decimal_mark(self.file.name, self.columns, self.log.column_names)
        except AmbiguousValue:
            if self.options.usual_decimal not in DECIMAL_MARKS:
                raise
            return self.options.usual_decimal

    def tidy_codes(self, name: str) -> dict[str, str]:
        """{code: the same tidied}; raises SalesFileError for codes that lost digits, or too many of them."""
        texts = self.texts[name]
        values = texts.codes.texts
        if len(values) > MAX_CODES:
            words = {"file": self.file.name, "column": self.theirs[name], "count": len(values)}
            sentence = _("%(file)s, column %(column)s has %(count)d different codes: is it the right column?")
            raise SalesFileError(sentence % words)
        tidied = tidy_codes(values, [True] * len(values))
        for place, text in enumerate(tidied):
            if is_shortened(text):
                row = int(texts.first_rows[place])
                raise SalesFileError(shortened_message(self.log, name, row, text))
        return dict(zip(values, tidied, strict=True))

    def count_codes(self, name: str, tidied: Mapping[str, str]) -> dict[str, int]:
        """{code as it is after spaces were merged: its rows}."""
        counts: dict[str, int] = {}
        is_merged = self.log.choose_action("spaces") == "merge"
        for text, count in zip(self.texts[name].codes.texts, self.texts[name].counts.tolist(), strict=True):
            code = collapse_spaces(tidied[text]) if is_merged else tidied[text]
            counts[code] = counts.get(code, 0) + count
        return counts

    def judge_extra(self, name: str, mark: str) -> ExtraKind:
        """How an extra column is read."""
        if (texts := self.texts.get(name)) is None:
            is_empty = not self.file.filled.get(self.theirs[name], 0)
            return ExtraKind("empty" if is_empty else "number")
        return judge_texts(name, texts.codes.texts, texts.counts, choose_mark(self.columns[name], mark))


def final_codes(file: EncodedTexts, log: FindingLog, decided: Decisions, name: str) -> list[str]:
    """The code of each text of a column after all that the actions merge."""
    tidied, spelling = decided.tidied[name], decided.spellings[name]
    is_spaced = log.choose_action("spaces") == "merge"
    is_merged = log.choose_action("mixed-case", "keep") == "merge"
    codes = []
    for text in file.codes.texts:
        code = collapse_spaces(tidied[text]) if is_spaced else tidied[text]
        codes.append(spelling.get(code, code) if is_merged else code)
    return codes
