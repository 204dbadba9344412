"""A workbook with a sheet per month is one table; its messages name the sheet and the row in it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import
from registry.datasets.summary_text import summary_facts
from tests.registry.datasets.importing.open_document import build_spreadsheet

HEADER = ["date", "store", "product", "sales"]


def book(path: Path, odd: dict[tuple[int, int], Any] | None = None) -> Path:
    """Three months of one product; `odd` are {(month, day): sales}."""
    sheets: dict[str, list[list[Any]]] = {}
    for month, title in enumerate(("Jan", "Feb", "Mar"), start=1):
        sheets[title] = [[f"Sales of {title}"], HEADER]
        day = date(2026, month, 1)
        while day.month == month:
            sheets[title].append([day, "S1", "Tea", (odd or {}).get((month, day.day), 3 + day.day % 4)])
            day += timedelta(days=1)
    sheets["Notes"] = [["Ask Ann"]]
    if path.suffix == ".ods":
        path.write_bytes(build_spreadsheet(sheets))
        return path
    wb = Workbook()
    wb.remove(wb.active)
    for title, rows in sheets.items():
        sheet = wb.create_sheet(title)
        for row in rows:
            sheet.append(row)
    wb.save(path)
    return path


def imported(path: Path, **options: Any) -> dict[str, Any]:
    job = ImportJob(
        path=str(path),
        name=path.name,
        folder=str(path.parent),
        reading=ImportOptions(**options),
        today="2026-11-23",
    )
    return run_import(job)


@pytest.mark.parametrize("name", ["year.xlsx", "year.ods"])
def test_all_months_are_read_and_the_summary_says_so(name: str, tmp_path: Path) -> None:
    report = imported(book(tmp_path / name))
    assert (report["rows"], report["first"], report["last"]) == (90, "2026-01-01", "2026-03-31")
    assert report["about"]["sheet"] == "Jan, Feb, Mar"
    assert summary_facts(report["summary"])[0] == "read 3 sheets"
    found = {finding["code"]: finding for finding in report["findings"]}
    assert [place["value"] for place in found["joined-sheets"]["examples"]] == ["Jan", "Feb", "Mar"]
    assert [place["value"] for place in found["other-sheets"]["examples"]] == ["Notes"]


def test_a_person_can_read_only_one_sheet(tmp_path: Path) -> None:
    report = imported(book(tmp_path / "year.xlsx"), choices={"joined-sheets": "one"})
    assert (report["rows"], report["last"]) == (31, "2026-01-31")
    assert [f["action"] for f in report["findings"] if f["code"] == "joined-sheets"] == ["one"]


@pytest.mark.parametrize("name", ["year.xlsx", "year.ods"])
def test_a_message_names_the_sheet_and_its_row(name: str, tmp_path: Path) -> None:
    path = book(tmp_path / name, {(2, 3): "many"})
    with pytest.raises(SalesFileError, match=rf"{name}, row 5, column Feb · sales: “many” is not"):
        imported(path)
    report = imported(path, on_problem="propose")
    place = next(f for f in report["findings"] if f["code"] == "not-a-number")["examples"][0]
    assert (place["row"], place["column"]) == (5, "Feb · sales")
    assert "5,not-a-number,Feb · sales,many,skip" in (tmp_path / "bad.csv").read_text("utf-8-sig")
