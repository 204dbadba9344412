"""A stock or terms file in the sandbox: read, checked, written as parquet, with a report. No models."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.stock.cells import CellReader, Cells, build_table
from registry.datasets.stock.columns import STOCK_COLUMNS, TERMS_COLUMNS, TERMS_VALUES

STOCK, TERMS = "stock", "terms"
CONTENT = "content.parquet"
DEFAULT_STORE = "1"  # of a file without a store column, as of sales


def read_table_file(job: ImportJob, raw: RawTable) -> dict[str, Any]:
    """The report about a file of `job.only`; writes its rows as parquet. Raises SalesFileError."""
    reader = CellReader(raw, job.reading)
    columns = STOCK_COLUMNS if job.only == STOCK else TERMS_COLUMNS
    cells = reader.read(columns)
    report = check_stock(reader, cells, job.today) if job.only == STOCK else check_terms(reader, cells)
    pq.write_table(build_table(cells, columns), Path(job.folder) / CONTENT)
    return {"rows": raw.table.num_rows, **report}


def check_stock(reader: CellReader, cells: dict[str, Cells], today: str) -> dict[str, Any]:
    """The day of the count and how many rows are below 0; raises SalesFileError."""
    cells["store_id"] = [code or DEFAULT_STORE for code in cells["store_id"]]
    cells["on_hand"] = [amount or 0.0 for amount in cells["on_hand"]]
    cells["on_order"] = [amount or 0.0 for amount in cells["on_order"]]
    days = sorted(day for day in set(cells["as_of"]) if day is not None)
    words = {"file": reader.raw.name, "first": days[0] if days else "", "last": days[-1] if days else ""}
    if len(days) > 1:
        why = _("%(file)s has stock of several days, from %(first)s to %(last)s: keep one of them.")
        raise SalesFileError(why % words)
    if days and today and days[0] > dt.date.fromisoformat(today):
        raise SalesFileError(_("%(file)s has stock of %(first)s, which lies in the future.") % words)
    for row, (amount, due) in enumerate(zip(cells["on_order"], cells["due_date"], strict=True)):
        if amount and due is None:
            why = _(
                "%(file)s, row %(row)d: %(value)s units are on order, but the day they are due is missing."
            )
            raise reader.refuse(row, "due_date", f"{amount:g}", why)
    return {
        "as_of": days[0].isoformat() if days else "",
        "below_zero": sum(amount < 0 for amount in cells["on_hand"]),
    }


def check_terms(reader: CellReader, cells: dict[str, Cells]) -> dict[str, Any]:
    """Nothing to report; raises SalesFileError for a row that says nothing or stands twice."""
    seen: dict[tuple[str, str], int] = {}
    for row in range(reader.raw.table.num_rows):
        if all(cells[name][row] is None for name in TERMS_VALUES) and (
            cells["supplier"][row] is None or find_key(cells, row)[0] == "supplier"
        ):
            raise reader.refuse(row, "", "", _("%(file)s, row %(row)d: there are no terms in this row."))
        key = find_key(cells, row)
        if key in seen:
            why = _("%(file)s, row %(row)d: the terms of %(value)s are in an earlier row, too.")
            raise reader.refuse(row, "", key[1] or key[0], why)
        seen[key] = row
        low, high = cells["shelf_min"][row], cells["shelf_max"][row]
        if low is not None and high is not None and low > high:
            why = _("%(file)s, row %(row)d: the shelf minimum is above the shelf maximum, %(value)s.")
            raise reader.refuse(row, "shelf_min", f"{high:g}", why)
    return {}


def find_key(cells: dict[str, Cells], row: int) -> tuple[str, str]:
    """What a row of terms is for: a product, a category, a supplier or everything."""
    for level, name in (("product", "product_id"), ("category", "category"), ("supplier", "supplier")):
        if cells[name][row] is not None:
            return level, cells[name][row]
    return "all", ""
