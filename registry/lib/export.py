"""Tables as files: CSV, and Excel (its cells are in workbook.py)."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpResponse

from registry.lib.csv_safe import format_csv_rows
from registry.lib.http import download_response
from registry.lib.tables import Table, to_cell_value

CSV, EXCEL = "csv", "xlsx"
EXPORT_FORMATS = (CSV, EXCEL)


def render_csv(table: Table, with_bom: bool = True) -> bytes:
    """The table in UTF-8; Excel needs the byte order mark, programs do not expect it."""
    heading = [column.name for column in table.columns]
    text = format_csv_rows([heading, *([to_cell_value(value) for value in row] for row in table.rows)])
    return text.encode("utf-8-sig" if with_bom else "utf-8")


def render_excel(tables: Iterable[Table]) -> bytes:
    """A workbook with a sheet for each table."""
    from registry.lib.workbook import render_workbook  # openpyxl: a tenth of a second that few requests need

    return render_workbook(tables)


def export_table(name: str, kind: str, table: Table) -> HttpResponse:
    """A table as a download in one of EXPORT_FORMATS."""
    return download_response(render_csv(table) if kind == CSV else render_excel([table]), f"{name}.{kind}")
