"""What one file's check has found, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.canonical import Days
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
from registry.datasets.importing.values import CategoricalColumn, Floats

Mask = npt.NDArray[np.bool_]


def format_scalar(value: pa.Scalar) -> str:
    """A cell as people read it; a damaged file can hold days that no calendar has."""
    try:
        return "" if value.as_py() is None else str(value.as_py())
    except (OverflowError, ValueError):
        return str(value.value)  # the number behind the day


@dataclass
class FindingLog:
    """Collects findings about one file; `out` [N] marks the rows that cannot be used."""

    raw: RawTable
    options: ImportOptions
    column_names: dict[str, str] = field(default_factory=dict)  # our name: its name
    findings: list[Finding] = field(default_factory=list)
    bad_places: list[tuple[str, list[Example]]] = field(default_factory=list)  # every row, up to MOST_BAD
    excluded: Mask = field(init=False)

    MAX_BAD_ROWS = 20_000

    def __post_init__(self) -> None:
        self.excluded = np.zeros(self.raw.table.num_rows, dtype=bool)
        self.findings += [finding for finding in self.raw.findings if finding.code != "ragged-row"]

    def column_label(self, name: str) -> str:
        """The column as the file calls it."""
        return self.column_names.get(name, name)

    def choose_action(self, code: str, proposed: str = "") -> str:
        """What is done about a finding: what was chosen, else what the policy says."""
        if choice := self.options.choices.get(code):
            return choice
        if self.options.on_problem == "stop" and code in LOSSY_FINDINGS:
            return "stop"
        if self.options.on_problem == "skip" and code == "duplicate":
            return "first"
        return proposed or ALLOWED_ACTIONS.get(code, ("keep",))[0]

    def add_finding(self, code: str, places: list[Example], count: int, proposed: str = "") -> str:
        """Adds a finding and tells what is done about it; "stop" ends the import."""
        choice = self.choose_action(code, proposed)
        finding = Finding(code, count, places[:MAX_EXAMPLES], choice)
        if choice == "stop":
            raise SalesFileError(finding.format_sentence(self.raw.name))
        self.findings.append(finding)
        self.bad_places.append((code, places))
        return choice

    def add_ragged_rows(self) -> None:
        """Rows that the reader could not cut into cells."""
        for finding in self.raw.findings:
            if finding.code == "ragged-row":
                self.add_finding("ragged-row", finding.examples, finding.count)

    def flag_rows(self, code: str, column: str, table: Mapping[str, pa.ChunkedArray], wrong: Mask) -> str:
        """Rows with the same fault; "" when there are none."""
        rows = np.flatnonzero(wrong & ~self.excluded)
        if not len(rows):
            return ""
        choice = self.add_finding(code, self.find_examples(column, table, rows), len(rows))
        if choice == "skip":
            self.excluded |= wrong
        return choice

    def find_examples(
        self, column: str, table: Mapping[str, pa.ChunkedArray], rows: npt.NDArray[np.int64]
    ) -> list[Example]:
        """Where it is; in a wide file the column is what the header says there."""
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
        """Notes a column that is empty throughout."""
        place = Example(1, self.column_label(column), "")
        self.findings.append(Finding("column-empty", 1, [place], "drop"))

    def add_duplicates(
        self,
        rows: npt.NDArray[np.int64],
        again: Mask,
        parts: tuple[Days, CategoricalColumn, CategoricalColumn],
        sales: Floats,
    ) -> str:
        """Later rows of a date, store and product that was there before; rows that repeat it are a copy."""
        days, stores, products = parts
        later = np.flatnonzero(again)
        same = sales[rows[later]] == sales[rows[later - 1]]
        columns = ", ".join(self.column_label(name) for name in ("date", "store_id", "product_id"))
        places = []
        for row in np.sort(rows[later])[: self.MAX_BAD_ROWS]:
            store, product = stores.values[stores.codes[row]], products.values[products.codes[row]]
            key = f"{np.datetime64(int(days[row]), 'D')} · {store} · {product}"
            places.append(Example(int(self.raw.row_numbers[row]), columns, key))
        return self.add_finding("duplicate", places, len(later), "last" if same.all() else "sum")
