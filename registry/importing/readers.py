"""Readers: a file to an Arrow table whose texts are still texts, and the row numbers people see.

CSV cells stay strings here ("NA" is a product, "00123" keeps its zeros); values.py decides what they mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from registry.importing.encodings import NAMES, encoding_of
from registry.importing.problems import EXAMPLES, Example, Finding, SalesError
from registry.importing.synonyms import LOOKED_AT, header_row, recognised

MAX_COLUMNS = 4000  # a wide file has a column for each day
HEAD = 1 << 20  # bytes looked at before a file is read
BATCH = 1 << 16
LARGEST_TABLE = 1 << 30  # bytes in memory
SEPARATORS = ",;\t|，；"
INDEX = re.compile(r"__index_level_\d+__")  # what pandas leaves in parquet files


@dataclass
class Raw:
    """A file as read: its columns, the number of each row as people count them, and what was odd.

    `about` says how it was read (encoding, separator, sheet, layout). `header` names the column of a wide
    file whose texts stood in the header: the place of such a cell is told by it.
    """

    name: str
    table: pa.Table
    numbers: npt.NDArray[np.int32]
    findings: list[Finding] = field(default_factory=list)
    about: dict[str, str] = field(default_factory=dict)
    header: str = ""

    def let_go(self) -> None:
        """Whoever has the columns now can drop them one by one: a large file does not fit in twice."""
        self.table = self.table.schema.empty_table()


def read(path: Path, name: str = "") -> Raw:
    """Reads a CSV, Excel or parquet file; raises SalesError with one sentence. `name` is said, not opened."""
    name = name or path.name
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
        raw = reader(path, name)
    except (OSError, pa.ArrowException, UnicodeError, csv.Error) as problem:
        raise SalesError(unreadable(name, problem)) from None
    if raw.table.num_rows == 0 and not raw.findings:
        raise SalesError(_("%(file)s has a header but no rows.") % {"file": name})
    return raw


def unreadable(name: str, problem: Exception) -> str:
    """The reason a library gives, in one sentence."""
    if "straddl" in str(problem) or "field limit" in str(problem):
        return _("%(file)s has a row of more than a million characters: is a quote left open?") % {
            "file": name
        }
    text = " ".join(str(problem).partition("\n")[0].split()).rstrip(".")[:160]
    return _("%(file)s cannot be read: %(reason)s.") % {
        "file": name,
        "reason": text or type(problem).__name__,
    }


def read_csv(path: Path, name: str) -> Raw:
    """Every cell as text, dictionary-encoded: twenty million rows stay small, each text is looked at once."""
    encoding = encoding_of(path, name)
    with path.open(encoding=encoding, newline="", errors="strict") as stream:
        head = read_header(name, stream.read(HEAD))
    header, separator = head.names, head.separator
    ragged: list[pacsv.InvalidRow] = []
    text = pa.dictionary(pa.int32(), pa.string())
    table = pacsv.read_csv(
        path,
        read_options=pacsv.ReadOptions(
            use_threads=False,  # rows are numbered only when read in order
            skip_rows=head.lines,
            encoding="utf-8" if encoding == "utf-8-sig" else encoding,
        ),
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
    skipped = len(head.above) - head.lines  # the reader counts lines, people count rows
    places = [(row.number + skipped, row.actual_columns) for row in ragged]
    raw = without_blank_rows(name, table, places, head.above)
    raw.about.update(encoding=NAMES[encoding], separator=separator)
    return raw


def keep_and_skip(rows: list[pacsv.InvalidRow]) -> Callable[[pacsv.InvalidRow], str]:
    """A handler that remembers rows with too few or too many cells."""

    def handler(row: pacsv.InvalidRow) -> str:
        rows.append(row)
        return "skip"

    return handler


@dataclass(frozen=True)
class Head:
    """The beginning of a CSV file: its columns, and the rows (and lines) above their names."""

    names: list[str]
    separator: str
    above: list[list[str]]
    lines: int


def read_header(name: str, text: str) -> Head:
    """Column names and separator, from the beginning of a CSV file."""
    text = text.removeprefix("\ufeff")
    found = [tried(text, separator) for separator in SEPARATORS]
    if not any(found):
        found = [tried(text, max(SEPARATORS, key=text.partition("\n")[0].count), strict=True)]
    head = max((one for one in found if one), key=lambda one: (recognised(one.names), len(one.names)))
    if not any(cell.strip() for cell in head.names):
        raise SalesError(_("%(file)s has no header: name the columns in the first row.") % {"file": name})
    if not head.separator.isascii():
        raise SalesError(
            _("%(file)s separates its cells with “%(mark)s”: save it with a plain comma.")
            % {"file": name, "mark": head.separator}
        )
    check_names(name, head.names)
    return head


def tried(text: str, separator: str, strict: bool = False) -> Head | None:
    """The head with that separator; None when no rows can be read with it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    lines = [0]
    try:
        for row in islice(reader, LOOKED_AT):
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error:
        if not rows:
            if strict:
                raise
            return None
    place = header_row(rows)
    return Head(rows[place] if rows else [], separator, rows[:place], lines[place])


def check_names(file: str, names: list[str]) -> None:
    """Raises SalesError for a name that appears twice, or far too many columns."""
    if len(names) > MAX_COLUMNS:
        numbers = {"file": file, "count": len(names), "most": MAX_COLUMNS}
        raise SalesError(_("%(file)s has %(count)d columns: keep at most %(most)d.") % numbers)
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        words = {"file": file, "name": twice[0]}
        raise SalesError(_("%(file)s has two columns named %(name)s: rename one of them.") % words)


def without_blank_rows(
    name: str, table: pa.Table, ragged: list[tuple[int, int]], above: Sequence[Sequence[str]] = ()
) -> Raw:
    """Drops empty lines and numbers the rows that stay as a spreadsheet shows them.

    `above`: the rows before the one that names the columns.
    """
    first = len(above) + 2
    numbers = np.arange(first, table.num_rows + len(ragged) + first, dtype=np.int32)
    if ragged:
        numbers = np.delete(numbers, [number - first for number, _cells in ragged])
    blank = np.ones(table.num_rows, dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        blank &= empty_cells(column)
    if blank.any():
        table, numbers = table.filter(pa.array(~blank)), numbers[~blank]
    findings = []
    if ragged:
        places = [Example(number, "", str(cells)) for number, cells in ragged[:EXAMPLES]]
        findings.append(Finding("ragged-row", len(ragged), places, "skip"))
    titles = [(number, row) for number, row in enumerate(above, 1) if any(cell.strip() for cell in row)]
    if titles:
        places = [Example(n, "", " ".join(filter(None, row))[:60]) for n, row in titles[:EXAMPLES]]
        findings.append(Finding("rows-above", len(titles), places, "drop"))
    return Raw(name, table, numbers, findings)


def empty_cells(column: pa.ChunkedArray) -> npt.NDArray[np.bool_]:
    """[N] where a dictionary-encoded text is empty."""
    parts = [np.zeros(0, dtype=bool)]
    for chunk in column.chunks:
        empty = np.array([not value or value.isspace() for value in chunk.dictionary.to_pylist()], dtype=bool)
        codes = chunk.indices.fill_null(0).to_numpy(zero_copy_only=False)
        parts.append(empty[codes] if len(empty) else np.ones(len(codes), dtype=bool))
    return np.concatenate(parts)


def read_parquet(path: Path, name: str) -> Raw:
    """All columns but a pandas index, a batch at a time: a damaged file can lie about its size."""
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream)
        check_names(name, file.schema_arrow.names)
        texts = [column.name for column in file.schema_arrow if pa.types.is_string(column.type)]
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream, read_dictionary=texts, page_checksum_verification=True)
        names = [column for column in file.schema_arrow.names if not INDEX.fullmatch(column)]
        schema = pa.schema([file.schema_arrow.field(column) for column in names])
        batches, size = [], 0
        for batch in file.iter_batches(BATCH, columns=names, use_threads=False):
            size += batch.nbytes
            if size > LARGEST_TABLE:
                raise SalesError(too_large(name))
            batch.validate(full=True)
            batches.append(batch)
    table = pa.Table.from_batches(batches, schema if not batches else None)
    return Raw(name, table, np.arange(1, table.num_rows + 1, dtype=np.int32))


def too_large(name: str) -> str:
    """Of files that unpack to far more than they seem to be."""
    return _("%(file)s unpacks to more than %(size)d MB: split it by months.") % {
        "file": name,
        "size": LARGEST_TABLE >> 20,
    }


def read_excel(path: Path, name: str) -> Raw:
    """Imported late: nothing else needs openpyxl."""
    from registry.importing.excel import read_workbook

    return read_workbook(path, name)


READERS: dict[str, Callable[[Path, str], Raw]] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".parquet": read_parquet,
}
