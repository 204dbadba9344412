"""Spreadsheets of Excel 97 (.xls), Excel binary (.xlsb) and LibreOffice (.ods), read by calamine."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.excel_reader import Row, check_package, read_sheets
from registry.datasets.importing.raw_table import RawTable, SourceFile


@dataclass(frozen=True)
class CalamineSheet:
    """One sheet, with the interface of openpyxl's."""

    book: Any
    title: str
    sheet_state: str

    def reset_dimensions(self) -> None:
        """Nothing to do: calamine finds them itself."""

    def iter_rows(self, values_only: bool = True) -> Iterator[Row]:
        """The rows from the first on, empty cells as None."""
        for row in self.book.get_sheet_by_name(self.title).to_python(skip_empty_area=False):
            yield tuple(None if cell == "" else cell for cell in row)


@dataclass(frozen=True)
class CalamineBook:
    """A workbook, with the interface of openpyxl's."""

    worksheets: list[CalamineSheet]
    epoch: dt.datetime = dt.datetime(1899, 12, 30)


def read_spreadsheet(source: SourceFile) -> RawTable:
    """The table with every cell as dictionary-encoded text. Raises SalesFileError."""
    from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

    if zipfile.is_zipfile(source.path):
        check_package(source.path, source.name)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(source.path.read_bytes()))  # whatever its suffix
        sheets = [
            CalamineSheet(book, one.name, "visible" if one.visible == SheetVisibleEnum.Visible else "hidden")
            for one in book.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet
        ]
        return read_sheets(CalamineBook(sheets), source.name, source.one_sheet)
    except (SalesFileError, MemoryError):
        raise
    except PasswordError:
        words = {"file": source.name}
        raise SalesFileError(
            _("%(file)s is protected by a password: save it as .xlsx without one.") % words
        ) from None
    except BaseException as problem:  # calamine raises anything for a damaged part, its panics included
        if isinstance(problem, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        words = {"file": source.name}
        sentence = _(
            "%(file)s is damaged, protected by a password or not a spreadsheet: save it again as .xlsx."
        )
        raise SalesFileError(sentence % words) from None
