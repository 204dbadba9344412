"""Siblings of the odd numbers: each reads as one number, asks, or is told."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from registry.datasets.importing.errors import AmbiguousValue
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox.pipeline import run_import


def run(folder: Path, column: str, values: list[str], **said: object) -> tuple[list[object], dict[str, str]]:
    """The column as read, and {finding: action}."""
    header = "date;store;product;sales" + ("" if column == "sales" else f";{column}")
    lines = [
        f"2026-01-{day:02};S;A;{value if column == 'sales' else f'{day};{value}'}"
        for day, value in enumerate(values, 1)
    ]
    path = folder / "x.csv"
    path.write_text("\n".join([header, *lines]) + "\n")
    job = ImportJob(path=str(path), name=path.name, folder=str(folder), reading=ImportOptions(**said))
    report = run_import(job)
    content = pq.read_table(folder / "canonical.parquet")[column].to_pylist()
    return content, {finding["code"]: finding["action"] for finding in report["findings"]}


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["R 12,50", "R1 250,00"], [12.5, 1250]),
        (["12,50 руб.", "1 250,00 руб."], [12.5, 1250]),
        (["1 250 Ft", "999 Ft"], [1250, 999]),
        (["12.50 บาท", "9.90 บาท"], [12.5, 9.9]),
        (["12,-", "9,50"], [12, 9.5]),
        (["5%", "7.5 %"], [5, 7.5]),
        (["KM 5,50", "1.005,25 KM"], [5.5, 1005.25]),
        (["১২", "৩০"], [12, 30]),
        (["#REF!", "12.5", "(null)"], [None, 12.5, None]),
    ],
)
def test_a_price_with_any_currency_is_a_number(
    values: list[str], numbers: list[float], tmp_path: Path
) -> None:
    assert run(tmp_path, "price", values)[0] == numbers


def test_an_open_price_is_asked_about_with_both_readings(tmp_path: Path) -> None:
    with pytest.raises(AmbiguousValue, match=r"12\.5 with a decimal point, 12500 with a decimal comma"):
        run(tmp_path, "price", ["12.500 đ", "9.900 đ"])
    assert run(tmp_path, "price", ["12.500 đ", "9.900 đ"], decimal="comma")[0] == [12500, 9900]


def test_one_unread_word_does_not_turn_a_price_into_text(tmp_path: Path) -> None:
    values = ["12.5", "13.5"] * 10 + ["ask"]
    content, findings = run(tmp_path, "price", values)
    assert content[-1] is None and findings["extra-not-a-number"] == "empty"


def test_a_column_of_numbers_and_many_words_stays_text_and_says_so(tmp_path: Path) -> None:
    content, findings = run(tmp_path, "price", ["12.5", "ask", "12.5"])
    assert content[1] == "ask" and findings["extra-not-a-number"] == "keep"


@pytest.mark.parametrize("column", ["event", "event_name", "活动名称", "holiday"])
def test_names_of_events_stay_text_however_many_of_them_are_numbers(column: str, tmp_path: Path) -> None:
    values = [*(f"{month}.{month}" for month in range(1, 13)), "618", "春节"]
    content, findings = run(tmp_path, column, values)
    assert content == values and "extra-not-a-number" not in findings


def test_a_product_or_brand_named_na_stays(tmp_path: Path) -> None:
    content, findings = run(tmp_path, "brand", ["NA", "Bayer", "None"])
    assert content == ["NA", "Bayer", "None"] and "missing-value" not in findings


def test_sales_without_a_value_can_count_as_nothing_sold(tmp_path: Path) -> None:
    assert run(tmp_path, "sales", ["12", "-", "45"])[0] == [12, None, 45]
    content, findings = run(tmp_path, "sales", ["12", "-", "45"], choices={"missing-sales": "zero"})
    assert content == [12, 0, 45] and findings["missing-sales"] == "zero"
