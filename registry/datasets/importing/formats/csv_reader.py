"""CSV files: encoding, separator, header row, cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from django.utils.translation import gettext as _

from registry.datasets.importing.batches.encoded import EncodedFile
from registry.datasets.importing.batches.reading import BLOCK_BYTES, CsvBatches
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.encoding_candidates import ENCODING_LABELS
from registry.datasets.importing.formats.encodings import detect_encoding
from registry.datasets.importing.formats.joined_files import split_notes, tidy_joined
from registry.datasets.importing.headers import HEADER_SEARCH_ROWS, count_known_columns, find_header_row
from registry.datasets.importing.raw_table import (
    RawTable,
    SourceFile,
    check_column_names,
    describe_rows_above,
    drop_blank_rows,
)

HEAD_BYTES = 1 << 20  # read to find separator and header
LARGE_BYTES = 200 << 20  # from which on a file is spilled to the disk
TEXT = pa.dictionary(pa.int32(), pa.string())
SEPARATORS = ",;\t|，；"


def read_csv(source: SourceFile) -> RawTable:
    """The table with every cell as dictionary-encoded text, so that twenty million rows stay small."""
    path, name = source.path, source.name
    detected = detect_encoding(path, name, source.encoding, source.may_guess)
    encoding = detected.name
    with path.open(encoding=encoding, newline="", errors="strict") as stream:
        head = read_header(name, stream.read(HEAD_BYTES))
    header, separator = head.names, head.separator
    read = pacsv.ReadOptions(
        use_threads=False,  # rows are numbered only when read in order
        skip_rows=head.lines_above,
        encoding="utf-8" if encoding == "utf-8-sig" else encoding,
    )
    cells = pacsv.ConvertOptions(
        column_types=dict.fromkeys(header, TEXT), strings_can_be_null=False, null_values=[]
    )
    if path.stat().st_size > LARGE_BYTES:
        raw = read_large_csv(source, head, read, cells)
    else:
        ragged: list[pacsv.InvalidRow] = []
        how = parse_options(separator, collect_invalid_rows(ragged))
        table = pacsv.read_csv(path, read_options=read, parse_options=how, convert_options=cells)
        skipped = len(head.rows_above) - head.lines_above  # pyarrow counts lines, spreadsheets count rows
        places = [(row.number + skipped, row.actual_columns) for row in ragged]
        raw = drop_blank_rows(name, table, places, head.rows_above)
        raw = split_notes(raw, [(*place, row.text or "") for place, row in zip(places, ragged, strict=True)])
        raw = tidy_joined(raw)
    raw.file_format.update(encoding=ENCODING_LABELS.get(encoding, encoding), separator=separator)
    raw.encodings = [asdict(candidate) for candidate in detected.candidates]
    return raw


def read_large_csv(
    source: SourceFile, head: CsvHeader, read: pacsv.ReadOptions, cells: pacsv.ConvertOptions
) -> RawTable:
    """The first rows of a large file; all of them are spilled to the disk."""
    batches = CsvBatches(source.name, len(head.rows_above) + 2, len(head.rows_above) - head.lines_above)
    read.block_size = BLOCK_BYTES
    how = parse_options(head.separator, batches.note_ragged)
    size = source.path.stat().st_size
    with (
        pa.OSFile(str(source.path)) as stream,
        pacsv.open_csv(stream, read_options=read, parse_options=how, convert_options=cells) as reader,
    ):
        rows = batches.read(reader, stream, size)
        large = EncodedFile(source.name).encode(rows, source.may_guess)
    raw = large.to_sample()
    raw.findings += [*batches.describe_ragged(), *describe_rows_above(head.rows_above)]
    last = RawTable(source.name, raw.table[:0], np.array([large.last_row], np.int32), raw.findings)
    raw.findings = split_notes(last, batches.ragged).findings
    return raw


def parse_options(separator: str, handler: Callable[[pacsv.InvalidRow], str]) -> pacsv.ParseOptions:
    """How lines are split into cells."""
    return pacsv.ParseOptions(
        delimiter=separator,
        newlines_in_values=True,
        ignore_empty_lines=False,
        invalid_row_handler=handler,
    )


def collect_invalid_rows(rows: list[pacsv.InvalidRow]) -> Callable[[pacsv.InvalidRow], str]:
    """A handler that collects rows with too few or too many cells and skips them."""

    def collect_row(row: pacsv.InvalidRow) -> str:
        rows.append(row)
        return "skip"

    return collect_row


@dataclass(frozen=True)
class CsvHeader:
    """The header of a CSV file: column names, separator, and the rows and lines above it."""

    names: list[str]
    separator: str
    rows_above: list[list[str]]
    lines_above: int


def read_header(name: str, text: str) -> CsvHeader:
    """The header in the first text of a file; raises SalesFileError when there is no usable one."""
    text = text.removeprefix("\ufeff")
    candidates = [try_separator(text, separator) for separator in SEPARATORS]
    if not any(candidates):
        candidates = [try_separator(text, max(SEPARATORS, key=text.partition("\n")[0].count), strict=True)]
    head = max(
        (one for one in candidates if one), key=lambda one: (count_known_columns(one.names), len(one.names))
    )
    if not any(cell.strip() for cell in head.names):
        raise SalesFileError(_("%(file)s has no header: name the columns in the first row.") % {"file": name})
    if not head.separator.isascii():
        raise SalesFileError(
            _("%(file)s uses “%(mark)s” as a separator: save it with plain commas.")
            % {"file": name, "mark": head.separator}
        )
    check_column_names(name, head.names)
    return head


def try_separator(text: str, separator: str, strict: bool = False) -> CsvHeader | None:
    """The header with that separator; None when no row can be read with it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[list[str]] = []
    lines = [0]
    try:
        for row in islice(reader, HEADER_SEARCH_ROWS):
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error:
        if not rows:
            if strict:
                raise
            return None
    place = find_header_row(rows)
    return CsvHeader(rows[place] if rows else [], separator, rows[:place], lines[place])
