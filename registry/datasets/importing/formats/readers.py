"""Readers by file type.

Cells of CSV and Excel stay text here ("NA" is a product, "00123" keeps its zeros); values.py interprets them.
"""

from __future__ import annotations

import csv
import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.archives import unpack_gzip, unpack_zip
from registry.datasets.importing.formats.csv_reader import LARGE_BYTES, read_csv
from registry.datasets.importing.formats.file_kinds import sniff_kind
from registry.datasets.importing.formats.parquet_reader import read_parquet
from registry.datasets.importing.raw_table import RawTable, SourceFile


def read_file(
    path: Path, name: str = "", encoding: str = "", may_guess: bool = False, one_sheet: bool = False
) -> RawTable:
    """The table of a file; messages call it `name`. Raises SalesFileError.

    A text file that is not UTF-8 is read in the given `encoding`; without one it raises AmbiguousValue, or is
    read in the most plausible one with `may_guess`. Of a workbook all sheets with the same columns are read,
    or `one_sheet`.
    """
    name = name or path.name
    if not path.is_file():
        raise SalesFileError(_("%(file)s does not exist: check the path.") % {"file": path})
    if path.suffix.lower() not in READERS:
        kinds = ", ".join(READERS)
        raise SalesFileError(
            _("%(file)s has an unknown type: use one of %(kinds)s.") % {"file": name, "kinds": kinds}
        )
    try:
        if path.stat().st_size == 0:
            raise SalesFileError(_("%(file)s is empty.") % {"file": name})
        raw = choose_reader(path, name)(SourceFile(path, name, encoding, may_guess, one_sheet))
    except (OSError, pa.ArrowException, UnicodeError, csv.Error) as problem:
        if isinstance(problem, OSError) and problem.errno in DISK_FULL:  # while a file is unpacked
            raise
        raise SalesFileError(unreadable_message(name, problem)) from None
    if raw.table.num_rows == 0 and not raw.findings:
        raise SalesFileError(_("%(file)s has a header but no rows.") % {"file": name})
    return raw


def choose_reader(path: Path, name: str) -> Reader:
    """The reader for what the file is; its suffix decides only where the content does not."""
    suffix, kind = path.suffix.lower(), sniff_kind(path)
    if kind == ".html":
        words = {"file": name}
        raise SalesFileError(
            _("%(file)s is a web page (HTML or XML), not a table: open it in Excel and save it as .xlsx.")
            % words
        )
    if kind == ".csv" and suffix not in (*WORKBOOK_SUFFIXES, *ARCHIVES):
        return READERS[suffix]
    if kind == ".xlsx" and suffix in (".xlsx", ".xlsm"):
        return READERS[suffix]
    return READERS.get(kind) or READERS[suffix]


def unreadable_message(name: str, problem: Exception) -> str:
    """A library's reason as one sentence."""
    if "straddl" in str(problem) or "field limit" in str(problem):
        return _("%(file)s has a row of more than a million characters: is a quote left open?") % {
            "file": name
        }
    text = " ".join(str(problem).partition("\n")[0].split()).rstrip(".")[:160]
    return _("%(file)s cannot be read: %(reason)s.") % {
        "file": name,
        "reason": text or type(problem).__name__,
    }


def read_excel(source: SourceFile) -> RawTable:
    """The table of an Excel file; imports openpyxl, which nothing else needs."""
    from registry.datasets.importing.formats.excel_reader import read_workbook

    return read_workbook(source)


def read_other_spreadsheet(source: SourceFile) -> RawTable:
    """The table of another spreadsheet; imports calamine, which nothing else needs."""
    from registry.datasets.importing.formats.spreadsheet_reader import read_spreadsheet

    return read_spreadsheet(source)


def read_zip(source: SourceFile) -> RawTable:
    """The only table of a zip archive."""
    suffixes = set(READERS) - set(ARCHIVES)
    with unpack_zip(source.path, source.name, suffixes, count_enough(source)) as path:
        return read_unpacked(replace(source, path=path))


def read_gzip(source: SourceFile) -> RawTable:
    """The table of a gzip file."""
    with unpack_gzip(source.path, source.name, count_enough(source)) as path:
        return read_unpacked(replace(source, path=path))


def count_enough(source: SourceFile) -> int:
    """Bytes of a text that are unpacked to look at its columns; 0 = all."""
    return LARGE_BYTES + LOOK_BYTES if source.may_guess else 0


def read_unpacked(source: SourceFile) -> RawTable:
    """The table of a file from an archive, which may not be an archive again."""
    if source.path.suffix not in READERS:
        source = replace(source, path=source.path.rename(source.path.with_suffix(".csv")))
    if sniff_kind(source.path) in ARCHIVES or source.path.suffix in ARCHIVES:
        words = {"file": source.name}
        raise SalesFileError(_("%(file)s holds another archive: unpack it first.") % words)
    return choose_reader(source.path, source.name)(source)


LOOK_BYTES = 8 << 20  # of a large text
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
Reader = Callable[[SourceFile], RawTable]
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
ARCHIVES = (".zip", ".gz")
READERS: dict[str, Reader] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".xlsm": read_excel,
    ".xls": read_other_spreadsheet,
    ".xlsb": read_other_spreadsheet,
    ".ods": read_other_spreadsheet,
    ".parquet": read_parquet,
    ".zip": read_zip,
    ".gz": read_gzip,
}
