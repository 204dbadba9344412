"""Files of tills of four countries: the same sums from each, and everything left out is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.datasets.importing.findings import ALLOWED_ACTIONS, FINDING_TITLES
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import
from tests.helpers.till_files import PRODUCTS, ROWS, STORES, TOTAL, files

FILES = files()


def report(path: Path, **said: object) -> dict:
    reading = ImportOptions(**{"on_problem": "propose", **said})
    return run_import(
        ImportJob(
            path=str(path), name=path.name, folder=str(path.parent), reading=reading, today="2026-11-23"
        )
    )


@pytest.mark.parametrize("name", FILES)
def test_every_till_tells_the_same_sales(name: str, tmp_path: Path) -> None:
    content, expected = FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    found = report(path)
    codes = {finding["code"] for finding in found["findings"]}
    assert (found["rows"], found["stores"], found["products"]) == (ROWS, list(STORES), list(PRODUCTS))
    assert sum(item["total"] for item in found["items"] if item["kind"] == "product") == TOTAL
    assert (found["first"], found["last"]) == ("2026-01-01", "2026-03-21")
    assert codes - {"outlier"} == expected
    assert all(code in FINDING_TITLES or code in ALLOWED_ACTIONS for code in codes)


def test_rows_below_a_title_keep_the_number_of_the_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = ['"Report, with a line\nbreak";', "", "date;store;product;sales"]
    lines += [f"2026-01-{day:02d};S;A;{day % 4}" for day in range(1, 31)]
    lines[10] = "2026-01-08;S;A;many"
    lines[12] = "2026-01-10;S;A;1;9;9"
    path.write_text("\n".join(lines))
    places = {f["code"]: f["examples"][0]["row"] for f in report(path)["findings"]}
    assert places["not-a-number"] == 11 and places["ragged-row"] == 13 and places["rows-above"] == 1


def test_a_store_that_is_called_total_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [f"2026-01-{day:02d},{store},A,{day % 4}" for day in range(1, 31) for store in ("S", "Total")]
    path.write_text("\n".join(["date,store,product,sales", *rows]))
    assert report(path)["stores"] == ["S"]
    assert report(path, choices={"total-row": "keep"})["stores"] == ["S", "Total"]


@pytest.mark.parametrize("label", ["Dagtotaal", "Tagessumme", "Total 05.01.2026", "日合计"])
def test_a_line_below_each_day_that_adds_it_up_is_a_total(label: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = ["date,store,product,sales"]
    for day in range(1, 31):
        lines += [f"2026-01-{day:02d},S,{name},{day % 4}" for name in ("A", "Total Care")]
        lines.append(f"{label},,,{2 * (day % 4)}")
    path.write_text("\n".join(lines))
    found = report(path)
    assert (found["rows"], found["products"]) == (60, ["A", "Total Care"])
    assert {f["code"]: f["count"] for f in found["findings"]}["total-row"] == 30


def test_kilograms_below_one_prove_the_decimal_comma(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    sold = [("0,651", "1,204", "2,310")[day % 3] for day in range(30)]
    lines = [f"2026-01-{day:02d};S;Tea;{units}" for day, units in enumerate(sold, start=1)]
    path.write_text("\n".join(["date;store;product;sales", *lines]))
    found = report(path)
    assert found["items"][0]["total"] == pytest.approx(10 * (0.651 + 1.204 + 2.310))


def test_returns_as_accounts_write_them_are_negative(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    values = ["3-", "(2)", "-1", *["5"] * 27]
    rows = [f"2026-01-{day:02d};S;A;{value}" for day, value in enumerate(values, 1)]
    path.write_text("\n".join(["date;store;product;sales", *rows]))
    found = report(path)
    negative = next(finding for finding in found["findings"] if finding["code"] == "negative")
    assert negative["count"] == 3 and found["items"][0]["total"] == 27 * 5 - 6
