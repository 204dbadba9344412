"""CSV files: encoding, separator, header row, cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
from django.utils.translation import gettext as _

from registry.datasets.importing.encodings import NAMES, encoding_of
from registry.datasets.importing.errors import SalesError
from registry.datasets.importing.headers import LOOKED_AT, header_row, recognised
from registry.datasets.importing.raw_table import Raw, check_names, without_blank_rows

HEAD = 1 << 20  # bytes looked at before a file is read

SEPARATORS = ",;\t|，；"


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
