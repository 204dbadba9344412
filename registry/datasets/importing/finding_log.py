"""What one file's check has found, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.canonical import Days
from registry.datasets.importing.errors import SalesError
from registry.datasets.importing.findings import CHOICES, EXAMPLES, LOSING, Example, Finding
from registry.datasets.importing.options import Reading
from registry.datasets.importing.raw_table import Raw
from registry.datasets.importing.values import Floats, Texts

Mask = npt.NDArray[np.bool_]


def cell(value: pa.Scalar) -> str:
    """A cell as people read it; a damaged file can hold days that no calendar has."""
    try:
        return "" if value.as_py() is None else str(value.as_py())
    except (OverflowError, ValueError):
        return str(value.value)  # the number behind the day


@dataclass
class Check:
    """Collects findings about one file; `out` [N] marks the rows that cannot be used."""

    raw: Raw
    reading: Reading
    names: dict[str, str] = field(default_factory=dict)  # our name: its name
    findings: list[Finding] = field(default_factory=list)
    bad: list[tuple[str, list[Example]]] = field(default_factory=list)  # every row, up to MOST_BAD
    out: Mask = field(init=False)

    MOST_BAD = 20_000

    def __post_init__(self) -> None:
        self.out = np.zeros(self.raw.table.num_rows, dtype=bool)
        self.findings += [finding for finding in self.raw.findings if finding.code != "ragged-row"]

    def label(self, name: str) -> str:
        """The column as the file calls it."""
        return self.names.get(name, name)

    def decide(self, code: str, proposed: str = "") -> str:
        """What is done about a finding: what was chosen, else what the policy says."""
        if choice := self.reading.choices.get(code):
            return choice
        if self.reading.on_problem == "stop" and code in LOSING:
            return "stop"
        if self.reading.on_problem == "skip" and code == "duplicate":
            return "first"
        return proposed or CHOICES.get(code, ("keep",))[0]

    def note(self, code: str, places: list[Example], count: int, proposed: str = "") -> str:
        """Adds a finding and tells what is done about it; "stop" ends the import."""
        choice = self.decide(code, proposed)
        finding = Finding(code, count, places[:EXAMPLES], choice)
        if choice == "stop":
            raise SalesError(finding.sentence(self.raw.name))
        self.findings.append(finding)
        self.bad.append((code, places))
        return choice

    def ragged(self) -> None:
        """Rows that the reader could not cut into cells."""
        for finding in self.raw.findings:
            if finding.code == "ragged-row":
                self.note("ragged-row", finding.examples, finding.count)

    def rows(self, code: str, column: str, table: Mapping[str, pa.ChunkedArray], wrong: Mask) -> str:
        """Rows with the same fault; "" when there are none."""
        rows = np.flatnonzero(wrong & ~self.out)
        if not len(rows):
            return ""
        choice = self.note(code, self.places(column, table, rows), len(rows))
        if choice == "skip":
            self.out |= wrong
        return choice

    def places(
        self, column: str, table: Mapping[str, pa.ChunkedArray], rows: npt.NDArray[np.int64]
    ) -> list[Example]:
        """Where it is; in a wide file the column is what the header says there."""
        header = self.raw.header if column == "sales" else ""
        return [
            Example(
                int(self.raw.numbers[row]),
                cell(table[header][int(row)]) if header else self.label(column),
                cell(table[column][int(row)]),
            )
            for row in rows[: self.MOST_BAD]
        ]

    def dropped(self, column: str) -> None:
        """Notes a column that is empty throughout."""
        place = Example(1, self.label(column), "")
        self.findings.append(Finding("column-empty", 1, [place], "drop"))

    def duplicates(
        self, rows: npt.NDArray[np.int64], again: Mask, parts: tuple[Days, Texts, Texts], sales: Floats
    ) -> str:
        """Later rows of a date, store and product that was there before; rows that repeat it are a copy."""
        days, stores, products = parts
        later = np.flatnonzero(again)
        same = sales[rows[later]] == sales[rows[later - 1]]
        columns = ", ".join(self.label(name) for name in ("date", "store_id", "product_id"))
        places = []
        for row in np.sort(rows[later])[: self.MOST_BAD]:
            store, product = stores.values[stores.codes[row]], products.values[products.codes[row]]
            key = f"{np.datetime64(int(days[row]), 'D')} · {store} · {product}"
            places.append(Example(int(self.raw.numbers[row]), columns, key))
        return self.note("duplicate", places, len(later), "last" if same.all() else "sum")
