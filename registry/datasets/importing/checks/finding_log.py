"""The findings about one file, the action for each, and the rows that they exclude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable, Days
from registry.datasets.importing.checks.decisions import Decisions
from registry.datasets.importing.checks.receipt_lines import RepeatedRows
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import (
    ALLOWED_ACTIONS,
    LOSSY_FINDINGS,
    MAX_EXAMPLES,
    Example,
    Finding,
)
from registry.datasets.importing.options import ImportOptions
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import CategoricalColumn
from registry.series.left_out import LeftOutSales

Mask = npt.NDArray[np.bool_]
FAULTS = {"bad-date", "not-a-number", "infinite", "no-code", "bad-code"}  # rows that the file tells wrongly


def format_scalar(value: pa.Scalar) -> str:
    """A cell as text; a damaged file can hold days outside the calendar."""
    try:
        return "" if value.as_py() is None else str(value.as_py())
    except (OverflowError, ValueError):
        return str(value.value)  # the number behind the day


@dataclass
class FindingLog:
    """Collects findings about one file; `excluded` [N] marks the rows that are left out."""

    raw: RawTable
    options: ImportOptions
    column_names: dict[str, str] = field(default_factory=dict)  # {our name: its name}
    findings: list[Finding] = field(default_factory=list)
    bad_places: list[tuple[str, list[Example]]] = field(default_factory=list)  # each finding's rows
    left_out: list[tuple[Finding, npt.NDArray[np.int64]]] = field(default_factory=list)  # with their rows
    emptied: list[npt.NDArray[np.int64]] = field(default_factory=list)  # rows whose sales are unknown
    kept_units: float = 0.0  # of the rows that are not excluded, once they are counted
    excluded: Mask = field(init=False)
    faulty: Mask = field(init=False)  # [N] rows that the file tells wrongly, such as a day that is no date
    ragged_rows: list[int] = field(default_factory=list)  # numbers of the first rows that could not be split
    left_out_sales: LeftOutSales = field(default_factory=LeftOutSales)  # the days of these rows
    dropped_columns: tuple[str, ...] = ()  # they say nothing about a whole day
    repeated: RepeatedRows | None = None  # what rows with the same key were taken for
    lost_sales: LeftOutSales = field(default_factory=LeftOutSales)  # days of rows that the file tells wrongly

    MAX_BAD_ROWS = 20_000  # of each finding, in bad.csv

    def __post_init__(self) -> None:
        self.excluded = np.zeros(self.raw.table.num_rows, dtype=bool)
        self.faulty = self.excluded.copy()
        self.findings += [finding for finding in self.raw.findings if finding.code != "ragged-row"]

    @property
    def decided(self) -> Decisions | None:
        """What the whole file says, if the rows are a bucket of it: their findings are told later."""
        return self.raw.decided

    def column_label(self, name: str) -> str:
        """The column's name in the file."""
        return self.column_names.get(name, name)

    def choose_action(self, code: str, proposed: str = "") -> str:
        """The action for a finding: the user's choice, else what the policy says."""
        if chosen := self.options.choices.get(code):
            return chosen
        if self.options.on_problem == "stop" and code in LOSSY_FINDINGS:
            return "stop"
        if self.options.on_problem == "skip" and code == "duplicate":
            return "first"
        return proposed or ALLOWED_ACTIONS.get(code, ("keep",))[0]

    @property
    def has_skip_choice(self) -> bool:
        """Whether the user wants to leave out faulty rows."""
        return any(self.options.choices.get(code) == "skip" for code in FAULTS)

    def no_rows_error(self) -> SalesFileError:
        """Why no row is left: the finding that took most of them, with its first place."""
        took = [finding for finding in self.findings if finding.action == "skip" and finding.examples]
        if took:
            return SalesFileError(max(took, key=lambda one: one.count).format_sentence(self.raw.name))
        return SalesFileError(_("%(file)s has no usable rows.") % {"file": self.raw.name})

    def add_finding(self, code: str, places: list[Example], count: int, proposed: str = "") -> str:
        """Adds a finding and returns its action; raises SalesFileError when that is "stop"."""
        action = self.choose_action(code, proposed)
        places = [self.raw.locate(place) for place in places] if self.raw.sheets else places
        finding = Finding(code, count, places[:MAX_EXAMPLES], action)
        if action == "stop" and self.decided is None:
            raise SalesFileError(finding.format_sentence(self.raw.name))
        self.findings.append(finding)
        self.bad_places.append((code, places))
        return action

    def add_ragged_rows(self) -> None:
        """Adds the rows that the reader could not split into cells."""
        for finding in self.raw.findings:
            if finding.code != "ragged-row":
                continue
            if self.add_finding("ragged-row", finding.examples, finding.count) == "skip":
                self.ragged_rows = [place.row for place in finding.examples]

    def flag_rows(
        self, code: str, column: str, table: Mapping[str, pa.ChunkedArray], is_wrong: Mask, proposed: str = ""
    ) -> str:
        """Adds a finding about rows with the same fault; returns its action, "" when no row has it."""
        rows = np.flatnonzero(is_wrong & ~self.excluded)
        if not len(rows):
            return ""
        if (
            code in FAULTS and 2 * len(rows) >= len(is_wrong) and self.decided is None
        ):  # nobody wants half a file
            proposed = "stop"
        action = self.add_finding(code, self.find_examples(column, table, rows), len(rows), proposed)
        if action == "skip":
            self.excluded |= is_wrong
            if code in FAULTS:
                self.faulty |= is_wrong
            self.left_out.append((self.findings[-1], rows))
        if action == "empty":
            self.emptied.append(rows)
        return action

    def add_left_out(self, content: CanonicalTable, rows: Mask) -> None:
        """Adds rows [N] of the content to those that are left out or emptied."""
        places = np.flatnonzero(rows)
        spans = zip(
            (content.stores.values[code] for code in content.stores.codes[places]),
            (content.products.values[code] for code in content.products.codes[places]),
            content.days[places].tolist(),
            content.days[places].tolist(),
            strict=True,
        )
        self.left_out_sales |= LeftOutSales.from_spans(spans)

    def find_examples(
        self, column: str, table: Mapping[str, pa.ChunkedArray], rows: npt.NDArray[np.int64]
    ) -> list[Example]:
        """The places of the rows; in a wide file the column is named by its text in the header."""
        header = self.raw.header_column if column == "sales" else ""
        return [
            Example(
                int(self.raw.row_numbers[row]),
                format_scalar(table[header][int(row)]) if header else self.column_label(column),
                format_scalar(table[column][int(row)]),
            )
            for row in rows[: self.MAX_BAD_ROWS]
        ]

    def add_empty_column(self, column: str) -> None:
        """Adds a column without a single value."""
        place = Example(1, self.column_label(column), "")
        self.findings.append(Finding("column-empty", 1, [place], "drop"))

    def add_duplicates(
        self,
        rows: npt.NDArray[np.int64],
        again: Mask,
        parts: tuple[Days, CategoricalColumn, CategoricalColumn],
        are_copies: bool,
    ) -> str:
        """Adds rows that repeat a date, store and product; copies repeat every other cell as well."""
        days, stores, products = parts
        later = np.flatnonzero(again)
        columns = ", ".join(self.column_label(name) for name in ("date", "store_id", "product_id"))
        places = []
        for row in np.sort(rows[later])[: self.MAX_BAD_ROWS]:
            store, product = stores.values[stores.codes[row]], products.values[products.codes[row]]
            key = f"{np.datetime64(int(days[row]), 'D')} · {store} · {product}"
            places.append(Example(int(self.raw.row_numbers[row]), columns, key))
        return self.add_finding("duplicate", places, len(later), "last" if are_copies else "sum")

    def add_lines(self, rows: npt.NDArray[np.int64], days: int, columns: tuple[str, ...]) -> None:
        """Adds the lines of receipts that were added up; `columns` tell them apart and are dropped."""
        label = ", ".join(self.column_label(name) for name in columns)
        row = int(self.raw.row_numbers[rows.min()])
        place = self.raw.locate(Example(row, label, f"{len(rows)} → {days}"))
        self.findings.append(Finding("receipt-lines", len(rows), [place], "sum"))
        self.dropped_columns = columns
