"""Days of which an import left rows out stay unknown: in the findings, in what is saved, and in training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.datasets.importer import import_file
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import DatasetVersion
from registry.datasets.reader import read_frame, read_panel
from registry.datasets.scope import Scope

pytestmark = pytest.mark.django_db
HEADER = "date,store,product,sales\n"
DAY = "2026-01-20"
Cell = str | int | None


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()


def lines(odd: dict[tuple[str, str, str], Cell], days: int = 50, start: str = "2026-01-01") -> str:
    """A file of two stores and two products; `odd` are {(day, store, product): sales, None = no row}."""
    rows = []
    for number, day in enumerate(pd.date_range(start, periods=days).strftime("%Y-%m-%d")):
        for store in ("S1", "S2"):
            for product in ("A", "B"):
                sales = odd.get((day, store, product), 3 + number % 4)
                if sales is not None:
                    rows.append(f"{day},{store},{product},{sales}\n")
    return HEADER + "".join(rows)


def imported(tmp_path: Path, text: str, **options: Any) -> DatasetVersion:
    path = tmp_path / "till.csv"
    path.write_text(text)
    return import_file(path, "till", options=ImportOptions(**{"on_problem": "propose", **options}))


def whole_day(sales: Cell) -> dict[tuple[str, str, str], Cell]:
    return {(DAY, "S1", product): sales for product in ("A", "B")}


def column_of(panel: Any, day: str = DAY) -> Any:
    return panel.closed[:, panel.column_index(day)], panel.sales[:, panel.column_index(day)]


@pytest.mark.parametrize("sales", ["viele", "NULL", "1e999"])
@pytest.mark.parametrize("scope", ["global", "store:S1", "product:A"])
def test_a_day_whose_rows_were_all_left_out_is_unknown_and_not_closed(
    tmp_path: Path, sales: str, scope: str
) -> None:
    version = imported(tmp_path, lines(whole_day(sales)))
    assert not any(finding["code"] == "store-gap" for finding in version.findings)
    panel = read_panel(version, Scope.parse(scope))
    closed, sold = column_of(panel)
    assert not closed.any()
    assert [np.isnan(value) for value in sold] == [store == "S1" for store, _product in panel.keys]


def test_a_day_without_any_row_is_still_closed(tmp_path: Path) -> None:
    version = imported(tmp_path, lines(whole_day(None)))
    assert [f["code"] for f in version.findings] == ["store-gap"]
    assert column_of(read_panel(version))[0].tolist() == [True, True, False, False]


def test_a_day_whose_date_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    text = lines({}).replace(f"{DAY},S1", "20 of Jan,S1")
    closed, sold = column_of(read_panel(imported(tmp_path, text)))
    assert not closed.any() and np.isnan(sold[:2]).all()


@pytest.mark.parametrize(
    ("sales", "choices"), [("-5", {"negative": "skip"}), ("n/a", {"missing-sales": "skip"})]
)
def test_rows_that_a_person_leaves_out_are_no_closed_day(tmp_path: Path, sales: str, choices: Any) -> None:
    version = imported(tmp_path, lines(whole_day(sales)), choices=choices)
    assert not column_of(read_panel(version))[0].any()


def test_a_total_that_is_left_out_is_no_sale(tmp_path: Path) -> None:
    text = lines(whole_day(None)) + f"{DAY},S1,Total,55\n"
    assert column_of(read_panel(imported(tmp_path, text)))[0].tolist() == [True, True, False, False]


def test_empty_cells_on_the_weekday_of_rest_are_closed_days(tmp_path: Path) -> None:
    sundays = {
        (f"{day:%Y-%m-%d}", "S1", product): ""
        for day in pd.date_range("2026-01-04", "2026-02-19", freq="7D")
        for product in ("A", "B")
    }
    panel = read_panel(imported(tmp_path, lines(sundays | whole_day(""))))
    assert column_of(panel, "2026-01-04")[0].tolist() == [True, True, False, False]
    assert not column_of(panel)[0].any()


def test_missing_days_count_as_zero_only_where_no_row_was_left_out(tmp_path: Path) -> None:
    odd: dict[tuple[str, str, str], Cell] = {
        (DAY, "S1", "A"): "viele", ("2026-01-25", "S1", "A"): None, ("2026-01-26", "S2", "B"): "NULL",
    }  # fmt: skip
    version = imported(tmp_path, lines(odd), choices={"product-gap": "zero"})
    frame = read_frame(version).set_index(["store_id", "product_id", "date"])["sales"]
    assert frame["S1", "A", pd.Timestamp("2026-01-25")] == 0
    assert ("S1", "A", pd.Timestamp(DAY)) not in frame.index
    assert np.isnan(frame["S2", "B", pd.Timestamp("2026-01-26")])
    assert np.isnan(read_panel(version).sales[0, 19])


def test_an_undated_row_leaves_its_product_unknown_when_gaps_count_as_zero(tmp_path: Path) -> None:
    text = lines({}).replace(f"{DAY},S1,A", "20 of Jan,S1,A")
    version = imported(tmp_path, text, choices={"product-gap": "zero"})
    assert version.rows == 199 and np.isnan(read_panel(version).sales[0, 19])


def test_a_row_left_out_of_a_log_of_sales_is_not_filled_with_zero(tmp_path: Path) -> None:
    days = pd.date_range("2026-01-01", periods=60).strftime("%Y-%m-%d")
    rows = [f"{day},S,P{p},3\n" for number, day in enumerate(days) for p in range(4) if number % 4 == p]
    rows[40] = rows[40].replace(",3", ",drei")
    version = imported(tmp_path, HEADER + "".join(rows))
    sold = read_panel(version).sales[0]
    assert np.isnan(sold[40]) and sold[41] == 0


def test_what_was_left_out_stays_unknown_when_newer_days_are_added_and_when_it_is_restored(
    tmp_path: Path,
) -> None:
    from registry.datasets.importer import restore_version

    first = imported(tmp_path, lines(whole_day("viele")))
    second = imported(tmp_path, lines({}, days=5, start="2026-02-20"))
    assert second.number == 2 and not column_of(read_panel(second))[0].any()
    assert not column_of(read_panel(restore_version(first)))[0].any()
    mended = imported(tmp_path, lines({}))
    assert not np.isnan(column_of(read_panel(mended))[1]).any()


def test_a_product_left_out_for_too_few_days_leaves_its_days_open(tmp_path: Path) -> None:
    text = lines(whole_day(None)) + f"{DAY},S1,New,7\n"
    version = imported(tmp_path, text, choices={"short": "skip"})
    assert version.products == ["A", "B"] and not column_of(read_panel(version))[0].any()
