"""Tables as an Excel workbook with typed cells, a frozen header and no formulas."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from registry.lib.csv_safe import escape_formula
from registry.lib.tables import Table, to_cell_value

NUMBER_FORMATS = {"share": "0.0%", "units": "#,##0.0##", "count": "#,##0", "day": "yyyy-mm-dd"}
EXCEL_DATETIME = "yyyy-mm-dd hh:mm"
MAX_COLUMN_WIDTH = 60


def render_workbook(tables: Iterable[Table]) -> bytes:
    """A workbook with a sheet for each table."""
    book = Workbook(write_only=True)
    for table in tables:
        sheet = book.create_sheet(make_sheet_title(table.title, book.sheetnames))
        sheet.freeze_panes = "A2"
        for number, width in enumerate(fit_column_widths(table), start=1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        kinds = [column.kind for column in table.columns]
        sheet.append(make_bold(build_row(sheet, [column.name for column in table.columns], kinds)))
        for row in table.rows:
            sheet.append(build_row(sheet, row, kinds))
        if table.total:
            sheet.append(make_bold(build_row(sheet, table.total, kinds)))
        if table.rows:
            sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def build_row(sheet: Any, values: Sequence[Any], kinds: Sequence[str]) -> list[Any]:
    """The cells of a row, one of each kind."""
    return [build_cell(sheet, value, kind) for value, kind in zip(values, kinds, strict=True)]


def make_bold(cells: list[Any]) -> list[Any]:
    """The same cells in bold."""
    for cell in cells:
        cell.font = Font(bold=True)
    return cells


def build_cell(sheet: Any, value: Any, kind: str) -> Any:
    """A typed cell; a text is never a formula."""
    content = escape_formula(to_cell_value(value))
    if isinstance(content, str):
        content = ILLEGAL_CHARACTERS_RE.sub("", content)
    made = WriteOnlyCell(sheet, content)
    if isinstance(made.value, str):
        made.data_type = "s"
    elif isinstance(value, date):  # whatever the column holds: as a number nobody would know it for a day
        made.number_format = EXCEL_DATETIME if isinstance(value, datetime) else NUMBER_FORMATS["day"]
    elif made.value is not None and kind in NUMBER_FORMATS:
        made.number_format = NUMBER_FORMATS[kind]
    return made


def fit_column_widths(table: Table) -> list[int]:
    """The width of each column, from its longest value in the first rows."""
    shown = [[column.name for column in table.columns], *table.rows[:200]]
    return [
        min(MAX_COLUMN_WIDTH, 3 + max(len(str(row[at])) if row[at] is not None else 0 for row in shown))
        for at in range(len(table.columns))
    ]


def make_sheet_title(title: str, taken: Sequence[str]) -> str:
    """A name that Excel accepts: at most 31 characters, none of []:*?/\\, not used before."""
    clean = "".join("_" if letter in "[]:*?/\\'" else letter for letter in title)[:28] or "Sheet"
    return clean if clean not in taken else f"{clean} {len(taken) + 1}"
