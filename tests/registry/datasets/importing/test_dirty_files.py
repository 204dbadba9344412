"""Dirty files: each gives the findings that were planted, with their rows; none a stack trace."""

from __future__ import annotations

import codecs
from pathlib import Path

import pandas as pd
import pytest

from registry.datasets.importing.checks.row_checks import ROW_CHECKS
from registry.datasets.importing.column_mapping import melt_columns
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.sandbox.pipeline import run_import
from tests.helpers.dirty_files import CASES, Case, clean, content

FILES = [(case, kind) for case in CASES for kind in case.kinds]
NATURAL = {"store-gap", "product-gap", "short", "other-sheets"}  # what leaving rows out leads to


def report(path: Path, **said: object) -> dict:
    reading = ImportOptions(**{"on_problem": "propose", **said})
    return run_import(
        ImportJob(
            path=str(path), name=path.name, folder=str(path.parent), reading=reading, today="2026-11-23"
        )
    )


def test_there_are_more_than_a_hundred_dirty_files() -> None:
    assert len(FILES) >= 100


@pytest.mark.parametrize(("case", "kind"), FILES, ids=[f"{case.name}.{kind}" for case, kind in FILES])
def test_a_dirty_file_gives_what_was_planted(case: Case, kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"{case.name}.{kind}"
    path.write_bytes(content(case, kind))
    if case.refused:
        with pytest.raises(SalesFileError, match=case.refused) as caught:
            report(path)
        assert "\n" not in str(caught.value)
        return
    findings = {finding["code"]: finding for finding in report(path)["findings"]}
    shift = 1 if kind == "parquet" else 0  # parquet has no header row
    expected = {code: (count, row - shift) for code, (count, row) in case.found.items()}
    got = {code: (f["count"], f["examples"][0]["row"]) for code, f in findings.items()}
    assert expected.items() <= got.items(), got
    assert set(got) - set(expected) <= NATURAL
    for code in set(expected) - {"ragged-row"}:
        assert findings[code]["examples"][0]["column"]
    assert (tmp_path / "bad.csv").read_text("utf-8-sig").startswith("row,finding")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_found(encoding: str, separator: str, tmp_path: Path) -> None:
    rows = [["日期", "门店", "商品", "数量"], *([*row[:2], f"感冒灵{row[2]}", row[3]] for row in clean())]
    path = tmp_path / "x.csv"
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    found = report(path)
    assert found["products"] == ["感冒灵A", "感冒灵B"] and found["rows"] == 160
    assert codecs.lookup(found["about"]["encoding"]).name == codecs.lookup(encoding.removesuffix("-sig")).name
    assert found["about"]["separator"] == separator


def test_an_encoding_that_the_file_does_not_prove_is_asked_for_with_samples(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [",".join([*row[:2], f"Crème Größe {row[2]}", row[3]]) for row in clean()]
    path.write_bytes(("date,store,product,sales\n" + "\n".join(rows)).encode("latin-1"))
    with pytest.raises(AmbiguousValue, match="“Crème Größe A") as caught:
        report(path)
    assert (caught.value.field_name, caught.value.answers[0]) == ("encoding", "cp1252")
    found = report(path, encoding="cp1252")
    assert (found["products"][0], found["about"]["encoding"]) == ("Crème Größe A", "Windows-1252")


def test_decimal_commas_are_found_by_any_column(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [";".join([*row[:3], "1.234", f"{row[3]},95"]) for row in clean()]
    path.write_text("date;store;product;sales;price\n" + "\n".join(rows))
    found = report(path)
    assert (found["about"]["decimal"], found["items"][0]["total"]) == ("comma", 1234 * 80)


def test_a_number_that_may_be_a_thousand_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(
        "date;store;product;sales\n" + "\n".join(";".join([*row[:3], "1,234"]) for row in clean())
    )
    with pytest.raises(AmbiguousValue, match="may be a thousand") as caught:
        report(path)
    assert (caught.value.field_name, caught.value.answers) == ("decimal", ["point", "comma"])
    assert report(path, decimal="comma")["items"][0]["total"] == pytest.approx(1.234 * 80)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
def test_a_column_for_each_day_is_read(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(clean(), columns=["day", "store", "sku", "sales"])
    wide = frame.pivot(index=["store", "sku"], columns="day", values="sales").reset_index()
    wide.iloc[1, 5] = "many"
    path = tmp_path / f"x.{kind}"
    {"csv": wide.to_csv, "xlsx": wide.to_excel, "parquet": wide.to_parquet}[kind](path, index=False)
    found = report(path)
    assert (found["about"]["layout"], found["rows"], found["last"]) == ("wide-days", 159, "2026-02-09")
    place = {"row": 2 if kind == "parquet" else 3, "column": "2026-01-04", "value": "many"}
    assert next(f for f in found["findings"] if f["code"] == "not-a-number")["examples"] == [place]


def test_a_column_for_each_product_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(clean(), columns=["day", "shop", "sku", "sales"])
    frame["sku"] = "Drug " + frame["sku"]
    frame = pd.concat([frame, frame[frame["sku"] == "Drug A"].assign(sku="Drug C")])
    path = tmp_path / "x.csv"
    frame.pivot(index=["day", "shop"], columns="sku", values="sales").reset_index().to_csv(path, index=False)
    found = report(path)
    assert (found["about"]["layout"], found["rows"]) == ("wide-products", 240)
    assert found["products"] == ["Drug A", "Drug B", "Drug C"]


def test_choices_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    case = next(case for case in CASES if case.name == "everything")
    path.write_bytes(content(case, "csv"))
    choices = {"duplicate": "first", "negative": "zero", "mixed-case": "keep", "bad-date": "skip"}
    found = report(path, choices=choices)
    assert found["stores"] == ["S1", "S2", "s1"]
    actions = {finding["code"]: finding["action"] for finding in found["findings"]}
    assert actions.items() >= choices.items()
    with pytest.raises(SalesFileError, match="row 22"):
        report(path, choices={"negative": "stop"})


def test_missing_days_can_be_counted_as_nothing_sold(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    case = next(case for case in CASES if case.name == "product-gap")
    path.write_bytes(content(case, "csv"))
    assert report(path)["rows"] == 159
    assert report(path, choices={"product-gap": "zero"})["rows"] == 160


def test_a_plan_ahead_makes_a_column_known(tmp_path: Path) -> None:
    rows = [[*row, str(number % 3)] for number, row in enumerate(clean())]
    ahead = [["2026-02-10", store, product, "", "1"] for store in ("S1", "S2") for product in "AB"]
    path = tmp_path / "x.csv"
    path.write_text("date,store,product,sales,flyer\n" + "\n".join(",".join(row) for row in [*rows, *ahead]))
    found = report(path)
    assert (found["roles"], found["plan"], found["last"]) == ({"flyer": "known"}, 4, "2026-02-09")


def test_names_and_categories_reach_the_catalogue(tmp_path: Path) -> None:
    names = {"A": ["Aspirin", "Pain"], "B": ["Balm", "Cold"]}
    path = tmp_path / "x.csv"
    rows = [",".join([*row, *names[row[2]]]) for row in clean()]
    path.write_text("date,store,sku,sales,product_name,category\n" + "\n".join(rows))
    found = report(path)
    item = next(item for item in found["items"] if item["code"] == "A")
    assert (item["name"], item["category"], item["first"]) == ("Aspirin", "Pain", "2026-01-01")
    assert found["roles"] == {"product_name": "name", "category": "static"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_wide_file_is_melted_once_and_read_like_the_long_one(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame(clean(), columns=["day", "store", "sku", "sales"])
    wide = frame.pivot(index=["store", "sku"], columns="day", values="sales").reset_index()
    melted = []

    def melt(raw: RawTable, *given: object) -> RawTable:
        melted.append(raw.name)
        return melt_columns(raw, *given)

    monkeypatch.setattr("registry.datasets.importing.column_mapping.melt_columns", melt)
    reports = []
    for name, table in (("long", frame), ("wide", wide)):
        path = tmp_path / f"{name}.{kind}"
        table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path, index=False)
        reports.append(report(path))
    assert melted == [f"wide.{kind}"]
    same = ("hash", "rows", "stores", "products", "first", "last", "items", "roles")
    assert [{key: one[key] for key in same} for one in reports] == [
        {key: reports[0][key] for key in same}
    ] * 2


def test_a_missing_column_and_a_missing_mapped_column_get_their_own_complaint(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("date,store,product,amount\n2026-01-01,S,A,1\n")
    with pytest.raises(SalesFileError, match="has no column sales: it has date, store, product, amount"):
        report(path)
    with pytest.raises(SalesFileError, match="has no column units: it has date, store, product, amount"):
        report(path, mapping={"sales": "units"})


def test_row_checks_run_in_the_order_of_their_list(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    faults = [
        "Total,,,9", "2026-02-31,S1,A,1", "2026-01-01,S1,A,x", "2026-01-01,S1,A,1e999",
        "2026-01-01,S1,A,NULL",
        "2090-01-01,S1,A,1",
        "2026-01-01,,A,1", "2026-01-01,S\x01,A,1", "2026-01-01, S1,A,1", "2026-01-01,s1,A,1",
        "2026-01-01,S1,,1", "2026-01-01,S1,x\x01,1", "2026-01-01,S1,A ,1", "2026-01-01,S1,a,1",
        "2026-01-02,S1,A,-1",
    ]  # fmt: skip
    path.write_text(
        "\n".join(["date,store_id,product_id,sales", *(",".join(row) for row in clean()), *faults])
    )
    found = [(f["code"], f["examples"][0]["column"]) for f in report(path)["findings"]]
    order = [(check.code, check.column) for check in ROW_CHECKS]
    flagged = [one for one in found if one in order]
    assert flagged == [one for one in order if one in flagged]
    assert set(order) - set(flagged) == {
        *(("total-row", name) for name in ("store_id", "product_id")),
        *(("filled-down", name) for name in ("date", "store_id", "product_id")),
        ("named-code", "product_id"),
    }


def test_a_row_that_one_check_leaves_out_is_not_flagged_again(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [*(",".join(row) for row in clean()), "2026-02-31,,x\x01,many"]
    path.write_text("\n".join(["date,store_id,product_id,sales", *rows]))
    assert [finding["code"] for finding in report(path)["findings"]] == ["bad-date"]
