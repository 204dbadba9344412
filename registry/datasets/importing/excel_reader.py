"""Excel workbooks: the first sheet that holds a table, its cells as texts."""

from __future__ import annotations

import datetime as dt
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesError
from registry.datasets.importing.findings import Example, Finding
from registry.datasets.importing.headers import LOOKED_AT, header_row, recognised
from registry.datasets.importing.raw_table import BATCH, Raw, check_names, too_large, without_blank_rows

UNPACKED, RATIO, PARTS = 600 << 20, 200, 2000
MOST_EMPTY = 200_000
SMALL = 10 << 20  # a part so small may be packed as tightly as it likes
DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
Row = tuple[Any, ...]


def read_workbook(path: Path, name: str) -> Raw:
    """Every cell as text, dictionary-encoded, so that values.py decides what it means."""
    from openpyxl import load_workbook

    check_package(path, name)
    try:
        with warnings.catch_warnings(action="ignore"):  # of styles that are left out
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            return read_sheets(book, name)
    except SalesError:
        raise
    except (MemoryError, RecursionError):
        raise MemoryError from None
    except Exception as problem:  # openpyxl raises whatever a damaged part leads to
        words = {"file": name, "kind": type(problem).__name__}
        raise SalesError(
            _("%(file)s is not a whole Excel workbook (%(kind)s): save it again.") % words
        ) from None


def check_package(path: Path, name: str) -> None:
    """Refuses what no spreadsheet program writes: bombs, document types, parts outside the package."""
    try:
        with zipfile.ZipFile(path) as package:
            parts = package.infolist()
            if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED:
                raise SalesError(too_large(name))
            for part in parts:
                if part.file_size > max(SMALL, RATIO * part.compress_size):
                    raise SalesError(too_large(name))
                if part.filename.endswith((".xml", ".rels")):
                    check_part(package, part, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise SalesError(
            _("%(file)s is not an Excel workbook (.xlsx): save it again as one.") % {"file": name}
        ) from None


def check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    with package.open(part) as stream:
        head = stream.read(4096).replace(b"\0", b"")  # UTF-16 would hide it
    if DECLARATION.search(head):
        raise SalesError(
            _("%(file)s holds a document type declaration, which no spreadsheet needs: save it again.")
            % {"file": name}
        )


def read_sheets(book: Any, name: str) -> Raw:
    """The sheet whose columns have the names we know, else the first with a header; the others are named."""
    heads = [(sheet, head(sheet)) for sheet in book.worksheets]
    heads = [(sheet, rows) for sheet, rows in heads if rows]
    if not heads:
        raise SalesError(_("%(file)s has no header: name the columns in the first row.") % {"file": name})
    best, rows = max(heads, key=lambda one: min(recognised(one[1][header_row(one[1])]), 2))
    place = header_row(rows)
    below = islice(enumerate(best.iter_rows(values_only=True), start=1), place + 1, None)
    raw = read_rows(name, trimmed(rows[place]), rows[:place], bounded(name, below))
    others = [other.title for other in book.worksheets if other.title != best.title]
    if others:
        raw.findings.append(
            Finding("other-sheets", len(others), [Example(0, "", title) for title in others[:5]], "drop")
        )
    raw.about.update(sheet=best.title)
    return raw


def head(sheet: Any) -> list[list[str]]:
    """The first rows of a sheet as texts, down to as many filled ones as a header may stand below."""
    sheet.reset_dimensions()  # they may lie
    found: list[list[str]] = []
    filled_rows = 0
    for row in islice(sheet.iter_rows(values_only=True), MOST_EMPTY):
        found.append([text(cell) for cell in row])
        filled_rows += any(cell.strip() for cell in found[-1])
        if filled_rows and len(found) >= LOOKED_AT:
            break
    return found if filled_rows else []


def bounded(name: str, rows: Iterator[tuple[int, Row]]) -> Iterator[Row]:
    """The rows; a sheet that claims its next row to be millions below is refused."""
    last = 1
    for number, row in rows:
        if any(cell is not None for cell in row):
            last = number
        elif number - last > MOST_EMPTY:
            words = {"file": name, "row": last}
            raise SalesError(_("%(file)s has nothing but empty rows below row %(row)d: delete them.") % words)
        yield row


def filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""


def trimmed(names: list[str]) -> list[str]:
    """Names of the columns, without empty cells at the end."""
    while names and not names[-1].strip():
        names.pop()
    return names


def text(cell: Any) -> str:
    """A cell as CSV would hold it.

    >>> text(5.0), text(0.1), text(True), text(None), text(dt.datetime(2026, 1, 2)), text("a ")
    ('5', '0.1', 'true', '', '2026-01-02', 'a ')
    """
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return str(cell.date()) if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)


def read_rows(name: str, header: list[str], above: list[list[str]], rows: Iterator[Row]) -> Raw:
    """The table below the header, a batch of rows at a time."""
    check_names(name, header)
    width, first = len(header), len(above) + 2
    batches, ragged, kept = [], [], first
    while chunk := list(islice(rows, BATCH)):
        for place, row in enumerate(chunk):
            extra = [number for number, cell in enumerate(row[width:], width + 1) if filled(cell)]
            if extra:
                ragged.append((kept + place, extra[-1]))
        wide = {kept + place for place in range(len(chunk))} & {number for number, _cells in ragged}
        whole = [row for place, row in enumerate(chunk) if kept + place not in wide]
        batches.append([encoded(whole, column) for column in range(width)])
        kept += len(chunk)
    columns = [pa.chunked_array([batch[place] for batch in batches], TEXT) for place in range(width)]
    return without_blank_rows(name, pa.table(columns, names=header), ragged, above)


TEXT = pa.dictionary(pa.int32(), pa.string())


def encoded(rows: list[Row], column: int) -> pa.Array:
    cells = [text(row[column]) if column < len(row) else "" for row in rows]
    return pa.array(cells, pa.string()).dictionary_encode()
