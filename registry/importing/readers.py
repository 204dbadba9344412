"""Readers: a file to an Arrow table whose texts are still texts, and the row numbers people see.

CSV cells stay strings here ("NA" is a product, "00123" keeps its zeros); values.py decides what they mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from registry.importing.problems import EXAMPLES, Example, Finding, SalesError

MAX_COLUMNS = 200
HEAD = 1 << 20  # bytes looked at before a file is read
SEPARATORS = ",;\t|"
INDEX = re.compile(r"__index_level_\d+__")  # what pandas leaves in parquet files


@dataclass(frozen=True)
class Raw:
    """A file as read: its columns, the number of each row as people count them, and what was odd."""

    name: str
    table: pa.Table
    numbers: npt.NDArray[np.int64]
    findings: list[Finding]


def read(path: Path) -> Raw:
    """Reads a CSV or parquet file; raises SalesError with one sentence."""
    name = path.name
    if not path.is_file():
        raise SalesError(_("%(file)s does not exist: check the path.") % {"file": path})
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(READERS)
        raise SalesError(
            _("%(file)s is of an unknown type: bring one of %(kinds)s.") % {"file": name, "kinds": kinds}
        )
    try:
        if path.stat().st_size == 0:
            raise SalesError(_("%(file)s is empty.") % {"file": name})
        raw = reader(path)
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as problem:
        raise SalesError(unreadable(name, problem)) from None
    if raw.table.num_rows == 0 and not raw.findings:
        raise SalesError(_("%(file)s has a header but no rows.") % {"file": name})
    return raw


def unreadable(name: str, problem: Exception) -> str:
    """The reason a library gives, in one sentence."""
    text = str(problem).partition("\n")[0].strip().rstrip(".")[:160]
    if "UTF8" in text or "utf-8" in text:
        return _("%(file)s is not UTF-8 text: save it as “CSV UTF-8”.") % {"file": name}
    return _("%(file)s cannot be read: %(reason)s.") % {
        "file": name,
        "reason": text or type(problem).__name__,
    }


def read_csv(path: Path) -> Raw:
    """Every cell as text, dictionary-encoded: twenty million rows stay small, each text is looked at once."""
    with path.open("rb") as stream:
        head = stream.read(HEAD)
    header, separator = read_header(path.name, head)
    ragged: list[pacsv.InvalidRow] = []
    text = pa.dictionary(pa.int32(), pa.string())
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(use_threads=False),  # rows are numbered only when read in order
        parse_options=pacsv.ParseOptions(
            delimiter=separator,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep_and_skip(ragged),
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(header, text), strings_can_be_null=False, null_values=[]
        ),
    )
    return without_blank_rows(path.name, table, [(row.number, row.actual_columns) for row in ragged])


def keep_and_skip(rows: list[pacsv.InvalidRow]) -> Callable[[pacsv.InvalidRow], str]:
    """A handler that remembers rows with too few or too many cells."""

    def handler(row: pacsv.InvalidRow) -> str:
        rows.append(row)
        return "skip"

    return handler


def read_header(name: str, head: bytes) -> tuple[list[str], str]:
    """Column names and separator, from the first bytes of a CSV file."""
    if b"\0" in head or head.startswith(b"PAR1"):
        raise SalesError(_("%(file)s is not a text file: bring CSV in UTF-8, or parquet.") % {"file": name})
    text = head.decode("utf-8-sig", errors="ignore" if len(head) == HEAD else "strict")
    line = text.partition("\n")[0]
    separator = max(SEPARATORS, key=line.count)
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    if not any(cell.strip() for cell in header):
        raise SalesError(_("%(file)s has no header: name the columns in the first row.") % {"file": name})
    check_names(name, header)
    return header, separator


def check_names(file: str, names: list[str]) -> None:
    """Raises SalesError for a name that appears twice, or far too many columns."""
    if len(names) > MAX_COLUMNS:
        numbers = {"file": file, "count": len(names), "most": MAX_COLUMNS}
        raise SalesError(_("%(file)s has %(count)d columns: keep at most %(most)d.") % numbers)
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise SalesError(_("%(file)s has two columns named %(name)s.") % {"file": file, "name": twice[0]})


def without_blank_rows(name: str, table: pa.Table, ragged: list[tuple[int, int]]) -> Raw:
    """Drops empty lines and numbers the rows that stay as a spreadsheet shows them."""
    numbers = np.arange(2, table.num_rows + len(ragged) + 2, dtype=np.int64)
    numbers = np.delete(numbers, [number - 2 for number, _cells in ragged])
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= np.asarray(pa.compute.equal(column.cast(pa.string()), ""))
    if blank.any():
        table, numbers = table.filter(pa.array(~blank)), numbers[~blank]
    findings = []
    if ragged:
        places = [Example(number, "", str(cells)) for number, cells in ragged[:EXAMPLES]]
        findings.append(Finding("ragged-row", len(ragged), places, "skipped"))
    return Raw(name, table, numbers, findings)


def read_parquet(path: Path) -> Raw:
    """All columns but a pandas index; the content is validated, since a damaged file can lie about itself."""
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream)
        names = [name for name in file.schema_arrow.names if not INDEX.fullmatch(name)]
        check_names(path.name, file.schema_arrow.names)
        table = file.read(columns=names)
    table.validate(full=True)
    return Raw(path.name, table, np.arange(1, table.num_rows + 1, dtype=np.int64), [])


READERS: dict[str, Callable[[Path], Raw]] = {".csv": read_csv, ".parquet": read_parquet}
