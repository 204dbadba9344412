"""What rows of a file mean: days, lines, joined cells, totals, money, and what is left out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=day) for day in range(90)]


def report(folder: Path, lines: list[str], **said: Any) -> dict[str, Any]:
    path = folder / "f.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    reading = ImportOptions(**{"on_problem": "propose", **said})
    return run_import(
        ImportJob(path=str(path), name=path.name, folder=str(folder), reading=reading, today="2026-11-23")
    )


def totals(found: dict[str, Any]) -> dict[str, float]:
    return {item["code"]: item["total"] for item in found["items"] if item["kind"] == "product"}


def findings(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["code"]: finding for finding in found["findings"]}


def sold(*days: str) -> list[str]:
    return ["date;store;product;sales", *(f"{day};S;A;{number % 4 + 1}" for number, day in enumerate(days))]


def swapped(day: dt.date) -> str:
    """As a US spreadsheet saves 05/01/2025 (5 January): it is taken for May, 13/01/2025 is left alone."""
    return f"{day.year}-{day.day:02}-{day.month:02}" if day.day <= 12 else f"{day:%d/%m/%Y}"


def test_swapped_days_and_months_are_asked_about_and_swapped_back(tmp_path: Path) -> None:
    lines = sold(*map(swapped, DAYS))
    with pytest.raises(AmbiguousValue, match="swapped day and month") as caught:
        report(tmp_path, lines)
    assert (caught.value.field_name, caught.value.answers) == ("dates", ["dmy", "ymd"])
    mended = report(tmp_path, lines, dates="dmy")
    assert (mended["first"], mended["last"], mended["rows"]) == ("2025-01-01", "2025-03-31", 90)
    assert report(tmp_path, lines, dates="ymd")["last"] == "2025-12-03"


def test_two_writings_that_are_each_proved_are_both_read(tmp_path: Path) -> None:
    lines = sold(*(f"{day:%d.%m.%Y}" if day.month < 2 else f"{day:%m/%d/%Y}" for day in DAYS))
    found = report(tmp_path, lines)
    assert (found["first"], found["last"], found["rows"]) == ("2025-01-01", "2025-03-31", 90)


@pytest.mark.parametrize(
    "write",
    [
        lambda day: f"{day.day} {['stycznia', 'lutego', 'marca'][day.month - 1]} {day.year} r.",
        lambda day: f"{day.day}. {['leden', 'únor', 'březen'][day.month - 1]} {day.year}",
        lambda day: f"{day:%d}-{['OCA', 'ŞUB', 'MAR'][day.month - 1]}-{day.year}",
        lambda day: f"{day.year}년 {day.month}월 {day.day}일 오후 10:40",
        lambda day: f"{day:%d%b%Y}:22:40:00".upper(),
        lambda day: f"{day:%Y-%m-%d}T23:59:59.999+13:00",
        lambda day: f"{day:%d.%m.%Y} 22.40",
        lambda day: f"{day:%Y.%m.%d}.(金)",
        lambda day: f"{day:%d%m%Y}",
        lambda day: f"jeu. {day.day} {['janv.', 'févr.', 'mars'][day.month - 1]} {day.year}",
    ],
)
def test_days_in_many_languages_are_the_days_of_the_shop(write: Any, tmp_path: Path) -> None:
    found = report(tmp_path, sold(*map(write, DAYS)))
    assert (found["first"], found["last"], found["rows"]) == ("2025-01-01", "2025-03-31", 90)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ([f"W{week:02}/2025" for week in range(1, 30)], "a week"),
        ([f"2025{week:02}" for week in range(1, 30)], "a week"),
        ([f"2025년 {month}월" for month in range(1, 13)], "a month"),
        (["Januar 2025", "Februar 2025", "März 2025", "April 2025"], "a month"),
        ([f"T{number} 2025" for number in range(1, 5)] + ["Q1 2026"], "a (week|quarter)"),
        ([f"1447/09/{day:02}" for day in range(1, 30)], "Islamic calendar"),
        ([f"{day}/03/2569" for day in range(1, 30)], "Buddhist calendar"),
        ([f"{day}. März" for day in range(1, 30)], "has no year"),
    ],
)
def test_weeks_months_and_other_calendars_are_called_by_their_name(
    names: list[str], kind: str, tmp_path: Path
) -> None:
    with pytest.raises(SalesFileError, match=kind):
        report(tmp_path, sold(*names))
    wide = [";".join(["store", "product", *names]), ";".join(["S", "A", *map(str, range(len(names)))])]
    with pytest.raises(SalesFileError, match=kind):
        report(tmp_path, wide)


def test_lines_of_receipts_are_added_up_and_told_once(tmp_path: Path) -> None:
    lines = ["Bonnr;Datum;store;product;qty"]
    lines += [f"{number};{DAYS[number // 3]};S;A;1" for number in range(90)]
    found = report(tmp_path, lines, on_problem="stop", mapping={"date": "Datum"})
    assert totals(found) == {"A": 90} and found["rows"] == 30
    told = findings(found)["receipt-lines"]
    assert (told["count"], told["examples"][0]["value"]) == (90, "90 → 30")
    assert "Bonnr" not in found["roles"]


def test_equal_quantities_with_another_receipt_are_no_copies_and_whole_rows_are(tmp_path: Path) -> None:
    lines = ["receipt;date;store;product;sales", *(f"{n};{DAYS[n // 2]};S;A;3" for n in range(60))]
    assert totals(report(tmp_path, lines)) == {"A": 180}
    with pytest.raises(SalesFileError, match="appears twice"):
        report(tmp_path, [*lines, *lines[1:]], on_problem="stop")
    twice = [lines[0], *(f"{n};{DAYS[n]};S;A;3" for n in range(60) for _ in (0, 1))]
    assert findings(report(tmp_path, twice))["duplicate"]["action"] == "last"


def test_a_blank_code_beside_another_name_is_no_joined_cell(tmp_path: Path) -> None:
    lines = ["date;item;sku;qty"]
    lines += [
        f"{day};{n};{c};2" for day in DAYS for n, c in (("Vitamin", "VC"), ("Water", ""), ("Juice", ""))
    ]
    found = report(tmp_path, lines, mapping={"product_id": "sku"})
    assert totals(found) == {"VC": 180, "Water": 180, "Juice": 180}
    assert findings(found)["named-code"]["count"] == 180


@pytest.mark.parametrize("name", ["Razem", "合計", "Итого:", "Sortiment"])
def test_what_adds_the_others_up_is_left_out_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    lines = ["date,store,product,sales"]
    for number, day in enumerate(DAYS):
        a, b = number % 3 + 1, number % 5 + 2
        lines += [f"{day},S,A,{a}", f"{day},S,B,{b}", f"{day},S,{name},{a + b}"]
    found = report(tmp_path, lines, on_problem="stop")
    assert found["products"] == ["A", "B"] and findings(found)["total-row"]["count"] == 90
    assert name in report(tmp_path, lines, choices={"total-row": "keep"})["products"]


def test_a_brand_that_is_called_total_is_a_product(tmp_path: Path) -> None:
    lines = ["date,store,product,sales"]
    lines += [f"{day},S,{name},4" for day in DAYS for name in ("Colgate Total", "Total Fiber", "Totalplast")]
    assert report(tmp_path, lines)["products"] == ["Colgate Total", "Total Fiber", "Totalplast"]


def test_units_are_taken_before_money_and_it_is_told(tmp_path: Path) -> None:
    lines = [
        "date,store,product,sales,quantity",
        *(f"{day},S,A,{n * 2.5},{n + 1}" for n, day in enumerate(DAYS)),
    ]
    found = report(tmp_path, lines, on_problem="stop")
    assert totals(found) == {"A": sum(range(1, 91))}
    place = findings(found)["money-for-units"]["examples"][0]
    assert (place["column"], place["value"]) == ("quantity", "sales")
    assert totals(report(tmp_path, lines, mapping={"sales": "sales"})) == {"A": 2.5 * sum(range(90))}


def test_a_day_whose_rows_were_left_out_is_not_told_as_closed(tmp_path: Path) -> None:
    lines = ["date,store,product,sales", *(f"{day},S,{p},3" for day in DAYS for p in "AB")]
    for row in (21, 22):
        lines[row] = lines[row].replace(",3", ",many")
    lines[41], lines[42] = "soon,S,A,3", "soon,S,B,3"
    found = findings(report(tmp_path, lines))
    assert found["not-a-number"]["count"] == found["bad-date"]["count"] == 2
    assert "store-gap" not in found


@pytest.mark.parametrize("value", ["?", "day {day}"])
def test_a_whole_month_is_never_left_out_unasked(value: str, tmp_path: Path) -> None:
    days = [value.format(day=day.day) if day.month == 3 else str(day) for day in DAYS]
    lines = sold(*days, "2025-04-01", "2025-04-02")
    with pytest.raises(SalesFileError, match="row 61, column date"):
        report(tmp_path, lines)
    assert report(tmp_path, lines, choices={"bad-date": "skip"})["rows"] == 61


def test_a_month_of_unread_quantities_is_never_left_out_unasked(tmp_path: Path) -> None:
    lines = [line.replace(";S;A;", ";S;A;x") if "-03-" in line else line for line in sold(*map(str, DAYS))]
    lines += ["2025-04-01;S;A;4"]
    with pytest.raises(SalesFileError, match="row 61, column sales"):
        report(tmp_path, lines)
