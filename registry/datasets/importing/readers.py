"""Readers by file type.

Cells of CSV and Excel stay text here ("NA" is a product, "00123" keeps its zeros); values.py interprets them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.csv_reader import read_csv
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.parquet_reader import read_parquet
from registry.datasets.importing.raw_table import RawTable


def read_file(path: Path, name: str = "") -> RawTable:
    """The table of a CSV, Excel or parquet file; messages call it `name`. Raises SalesFileError."""
    name = name or path.name
    if not path.is_file():
        raise SalesFileError(_("%(file)s does not exist: check the path.") % {"file": path})
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(READERS)
        raise SalesFileError(
            _("%(file)s has an unknown type: use one of %(kinds)s.") % {"file": name, "kinds": kinds}
        )
    try:
        if path.stat().st_size == 0:
            raise SalesFileError(_("%(file)s is empty.") % {"file": name})
        raw = reader(path, name)
    except (OSError, pa.ArrowException, UnicodeError, csv.Error) as problem:
        raise SalesFileError(unreadable_message(name, problem)) from None
    if raw.table.num_rows == 0 and not raw.findings:
        raise SalesFileError(_("%(file)s has a header but no rows.") % {"file": name})
    return raw


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


def read_excel(path: Path, name: str) -> RawTable:
    """The table of an Excel file; imports openpyxl, which nothing else needs."""
    from registry.datasets.importing.excel_reader import read_workbook

    return read_workbook(path, name)


READERS: dict[str, Callable[[Path, str], RawTable]] = {
    ".csv": read_csv,
    ".txt": read_csv,
    ".tsv": read_csv,
    ".xlsx": read_excel,
    ".parquet": read_parquet,
}
