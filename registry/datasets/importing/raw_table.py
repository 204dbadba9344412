"""A file as read: columns of text, and row numbers as a spreadsheet shows them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.checks.decisions import Decisions
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding

MAX_COLUMNS = 4000  # a wide file has a column for each day
BATCH_ROWS = 1 << 16  # read at a time
MAX_TABLE_BYTES = 1 << 30  # in memory


@dataclass(frozen=True)
class SourceFile:
    """A file to read: where it is, its name in messages, and what is known of its encoding.

    With `may_guess` a text file is read in its most plausible encoding instead of asking for it, and of a
    large file only the first rows; with `one_sheet` only the best sheet of a workbook.
    """

    path: Path
    name: str
    encoding: str = ""
    may_guess: bool = False
    one_sheet: bool = False


class RowsOnDisk(Protocol):
    """The rows of a file that is larger than memory."""

    folder: Path
    row_count: int
    is_partial: bool


@dataclass
class RawTable:
    """A file as read: its columns, the number of each row in a spreadsheet, and first findings.

    `file_format` holds encoding, separator, sheet and layout. `sheets` are the sheets that were joined, each
    with the number that was added to its row numbers. `header_column` is the column of a melted wide
    file whose texts were in the header, so messages name a cell by it.
    """

    name: str
    table: pa.Table
    row_numbers: npt.NDArray[np.int32]
    findings: list[Finding] = field(default_factory=list)
    file_format: dict[str, str] = field(default_factory=dict)
    header_column: str = ""
    encodings: list[dict[str, str]] = field(default_factory=list)  # that the file may have, with samples
    sheets: tuple[tuple[int, str], ...] = ()
    decided: Decisions | None = None  # of a bucket of a large file
    large: RowsOnDisk | None = None  # all rows: then the table holds the first ones

    def locate(self, place: Example) -> Example:
        """The place with the row of its sheet, and the sheet's name before the column."""
        if not self.sheets or place.row <= 0:
            return place
        offset, title = max(start for start in self.sheets if start[0] < place.row)
        label = f"{title} · {place.column}" if place.column else title
        return replace(place, row=place.row - offset, column=label)

    @property
    def row_count(self) -> int:
        """Rows of the file; 0 where only the first ones of a large file were read."""
        if self.large is None:
            return int(self.table.num_rows)
        return 0 if self.large.is_partial else self.large.row_count

    def __enter__(self) -> RawTable:
        return self

    def __exit__(self, *_problem: object) -> None:
        """Removes what a large file has on the disk."""
        if self.large is not None:
            shutil.rmtree(self.large.folder, ignore_errors=True)

    def release_table(self) -> None:
        """Drops the table, so that its columns can be released one by one; a large file fits only once."""
        self.table = self.table.schema.empty_table()


def check_column_names(file: str, names: list[str]) -> None:
    """Raises SalesFileError for a repeated name or too many columns."""
    if len(names) > MAX_COLUMNS:
        numbers = {"file": file, "count": len(names), "most": MAX_COLUMNS}
        raise SalesFileError(_("%(file)s has %(count)d columns: keep at most %(most)d.") % numbers)
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        words = {"file": file, "name": twice[0]}
        raise SalesFileError(_("%(file)s has two columns named %(name)s: rename one of them.") % words)


def drop_blank_rows(
    name: str, table: pa.Table, ragged: list[tuple[int, int]], above: Sequence[Sequence[str]] = ()
) -> RawTable:
    """Drops empty rows and numbers the others as a spreadsheet shows them.

    `ragged` holds (row number, cells) of rows that were dropped before, `above` the rows above the header.
    """
    first = len(above) + 2
    numbers = np.arange(first, table.num_rows + len(ragged) + first, dtype=np.int32)
    if ragged:
        numbers = np.delete(numbers, [number - first for number, _cells in ragged])
    table, numbers = drop_empty_rows(table, numbers)
    findings = []
    if ragged:
        places = [Example(number, "", str(cells)) for number, cells in ragged[:MAX_EXAMPLES]]
        findings.append(Finding("ragged-row", len(ragged), places, "skip"))
    return RawTable(name, table, numbers, [*findings, *describe_rows_above(above)])


def describe_rows_above(above: Sequence[Sequence[str]]) -> list[Finding]:
    """The finding about rows above the header."""
    titles = [(number, row) for number, row in enumerate(above, 1) if any(cell.strip() for cell in row)]
    if not titles:
        return []
    places = [Example(n, "", " ".join(filter(None, row))[:60]) for n, row in titles[:MAX_EXAMPLES]]
    return [Finding("rows-above", len(titles), places, "drop")]


def drop_empty_rows(
    table: pa.Table, numbers: npt.NDArray[np.int32]
) -> tuple[pa.Table, npt.NDArray[np.int32]]:
    """The table and its row numbers without rows whose cells are all empty."""
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= find_empty_cells(column)
    return (table.filter(pa.array(~blank)), numbers[~blank]) if blank.any() else (table, numbers)


def find_empty_cells(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """[N] where a dictionary-encoded text is empty or blank."""
    parts = [np.zeros(0, dtype=bool)]
    for chunk in column.chunks:
        empty = np.array([not value or value.isspace() for value in chunk.dictionary.to_pylist()], dtype=bool)
        codes = chunk.indices.fill_null(0).to_numpy(zero_copy_only=False)
        parts.append(empty[codes] if len(empty) else np.ones(len(codes), dtype=bool))
    return np.concatenate(parts)


def too_large_message(name: str) -> str:
    """The complaint about a file that unpacks to far more than its size."""
    return _("%(file)s unpacks to more than %(size)d MB: split it by month.") % {
        "file": name,
        "size": MAX_TABLE_BYTES >> 20,
    }
