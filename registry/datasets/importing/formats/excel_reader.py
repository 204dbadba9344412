"""Excel workbooks: the sheet with sales, its cells as text."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding
from registry.datasets.importing.formats.joined_files import tidy_joined
from registry.datasets.importing.formats.joined_sheets import Head, choose_sheets, join_sheets
from registry.datasets.importing.headers import HEADER_SEARCH_ROWS, count_known_columns, find_header_row
from registry.datasets.importing.raw_table import (
    BATCH_ROWS,
    RawTable,
    SourceFile,
    check_column_names,
    drop_blank_rows,
    too_large_message,
)

MAX_UNPACKED_BYTES, MAX_COMPRESSION_RATIO, MAX_PARTS = 600 << 20, 200, 2000
MAX_EMPTY_ROWS = 200_000
SMALL_PART_BYTES = 10 << 20  # parts below this size are not checked for MAX_COMPRESSION_RATIO
DOCTYPE_PATTERN = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
THREE_PLACES = re.compile(r"-?[1-9]\d{0,2}\.\d{3}")
Row = tuple[Any, ...]
TEXT_TYPE = pa.dictionary(pa.int32(), pa.string())


def read_workbook(source: SourceFile) -> RawTable:
    """The table with every cell as dictionary-encoded text; values.py interprets them."""
    from openpyxl import load_workbook

    path, name = source.path, source.name
    check_package(path, name)
    try:
        with warnings.catch_warnings(action="ignore"):  # about styles that it ignores
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            return read_sheets(book, name, source.one_sheet)
    except SalesFileError:
        raise
    except (MemoryError, RecursionError):
        raise MemoryError from None
    except Exception as problem:  # openpyxl raises anything for a damaged part
        words = {"file": name, "kind": type(problem).__name__}
        raise SalesFileError(
            _("%(file)s is not a complete Excel workbook (%(kind)s): save it again.") % words
        ) from None


def check_package(path: Path, name: str) -> None:
    """Raises SalesFileError for zip bombs, document types and other things no spreadsheet writes."""
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
                raise SalesFileError(too_large_message(name))
            for part in parts:
                if part.file_size > max(SMALL_PART_BYTES, MAX_COMPRESSION_RATIO * part.compress_size):
                    raise SalesFileError(too_large_message(name))
                if part.filename.endswith((".xml", ".rels")):
                    check_part(package, part, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise SalesFileError(
            _("%(file)s is not an Excel workbook: save it as .xlsx.") % {"file": name}
        ) from None


def check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    """Raises SalesFileError for a document type, which could expand entities or open other files."""
    with package.open(part) as stream:
        head = stream.read(4096).replace(b"\0", b"")  # UTF-16 text has zeros between the letters
    if DOCTYPE_PATTERN.search(head):
        raise SalesFileError(
            _("%(file)s holds a document type declaration, which no spreadsheet needs: save it again.")
            % {"file": name}
        )


def read_sheets(book: Any, name: str, one_sheet: bool = False) -> RawTable:
    """The visible sheet with the most known columns, else the first with a header, and all that are alike.

    Logs the sheets that are left out. Raises SalesFileError when another sheet of sales has other columns.
    """
    shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
    heads = [(sheet, read_first_rows(sheet)) for sheet in shown]
    heads = [(sheet, rows) for sheet, rows in heads if rows]
    if not heads:
        raise SalesFileError(_("%(file)s has no header: name the columns in the first row.") % {"file": name})
    best = max(heads, key=lambda one: min(count_known_columns(one[1][find_header_row(one[1])]), 2))
    alike = choose_sheets(name, best, heads)
    if len(alike) > 1 and not one_sheet:
        raw = join_sheets(name, alike, partial(read_sheet, name))
    else:
        raw = read_sheet(name, best)
        if len(alike) > 1:
            titles = [Example(0, "", sheet.title) for sheet, _rows in alike[:MAX_EXAMPLES]]
            raw.findings.append(Finding("joined-sheets", len(alike), titles, "one"))
    used = {sheet.title for sheet, _rows in alike}
    others = [other.title for other in book.worksheets if other.title not in used]
    if others:
        raw.findings.append(
            Finding("other-sheets", len(others), [Example(0, "", title) for title in others[:5]], "drop")
        )
    titles_read = [best[0].title] if one_sheet else [sheet.title for sheet, _rows in alike]
    raw.file_format.update(sheet=", ".join(titles_read)[:200])
    if book.epoch.year == 1904:  # as in Excel for Mac
        raw.file_format.update(epoch="1904")
    return raw


def read_sheet(name: str, head: Head) -> RawTable:
    """The table of one sheet."""
    sheet, rows = head
    place = find_header_row(rows)
    below = islice(enumerate(sheet.iter_rows(values_only=True), start=1), place + 1, None)
    return read_rows(name, trim_names(rows[place]), rows[:place], limit_empty_rows(name, below))


def read_first_rows(sheet: Any) -> list[list[str]]:
    """The first rows of a sheet as text, down to the last one that can be the header."""
    sheet.reset_dimensions()  # they can be wrong
    head: list[list[str]] = []
    filled_rows = 0
    for row in islice(sheet.iter_rows(values_only=True), MAX_EMPTY_ROWS):
        head.append([format_cell(cell) for cell in row])
        filled_rows += any(cell.strip() for cell in head[-1])
        if filled_rows and len(head) >= HEADER_SEARCH_ROWS:
            break
    return head if filled_rows else []


def limit_empty_rows(name: str, rows: Iterator[tuple[int, Row]]) -> Iterator[Row]:
    """Yields the rows; raises SalesFileError after too many empty ones in a row."""
    last = 1
    for number, row in rows:
        if any(cell is not None for cell in row):
            last = number
        elif number - last > MAX_EMPTY_ROWS:
            words = {"file": name, "row": last}
            raise SalesFileError(_("%(file)s has only empty rows below row %(row)d: delete them.") % words)
        yield row


def is_filled(cell: object) -> bool:
    """Whether a cell holds more than spaces."""
    return cell is not None and str(cell).strip() != ""


def trim_names(names: list[str]) -> list[str]:
    """The column names without empty cells at the end."""
    while names and not names[-1].strip():
        names.pop()
    return names


def format_cell(cell: Any) -> str:
    """A cell as its text in CSV.

    >>> [format_cell(cell) for cell in (5.0, 0.1, 1.024, True, None, dt.datetime(2026, 1, 2), "a ")]
    ['5', '0.1', '1.0240', 'true', '', '2026-01-02', 'a ']
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return format_float(cell)
    if isinstance(cell, dt.datetime):
        return str(cell.date()) if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)


def format_float(cell: float) -> str:
    """A number without “.0”; a true 1.024 is written so that nobody takes it for a thousand."""
    if cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    text = str(cell)
    return f"{text}0" if THREE_PLACES.fullmatch(text) else text


def read_rows(name: str, header: list[str], above: list[list[str]], rows: Iterator[Row]) -> RawTable:
    """The table below the header, read in batches."""
    check_column_names(name, header)
    width, first = len(header), len(above) + 2
    batches, ragged, next_row = [], [], first
    while batch := list(islice(rows, BATCH_ROWS)):
        for place, row in enumerate(batch):
            extra = [number for number, cell in enumerate(row[width:], width + 1) if is_filled(cell)]
            if extra:
                ragged.append((next_row + place, extra[-1]))
        wide = {next_row + place for place in range(len(batch))} & {number for number, _cells in ragged}
        whole = [row for place, row in enumerate(batch) if next_row + place not in wide]
        batches.append([encode_column(whole, column) for column in range(width)])
        next_row += len(batch)
    columns = [pa.chunked_array([columns[place] for columns in batches], TEXT_TYPE) for place in range(width)]
    return tidy_joined(drop_blank_rows(name, pa.table(columns, names=header), ragged, above))


def encode_column(rows: list[Row], column: int) -> pa.Array:
    """The cells of one column as dictionary-encoded text."""
    cells = [format_cell(row[column]) if column < len(row) else "" for row in rows]
    return pa.array(cells, pa.string()).dictionary_encode()
