"""Rows of a product that end while its store goes on: told once, and zeros where nothing was sold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registry.datasets.importer import import_file
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import DatasetVersion
from registry.datasets.reader import read_panel

pytestmark = pytest.mark.django_db


def write_sales(path: Path, days: int, ended: int, first: int = 0) -> Path:
    """Two products of two stores; B of S1 has no row from day `ended` on."""
    lines = ["date,store_id,product_id,sales"]
    for number, day in enumerate(pd.date_range("2026-01-01", periods=days)):
        for store in ("S1", "S2"):
            for product in ("A", "B"):
                if number >= first and (store, product, number < ended) != ("S1", "B", False):
                    lines.append(f"{day:%Y-%m-%d},{store},{product},{5 + number % 3}")
    path.write_text("\n".join(lines) + "\n")
    return path


def find_ended(version: DatasetVersion) -> list[dict]:
    return [finding for finding in version.findings if finding["code"] == "ended"]


def test_rows_that_end_four_weeks_before_their_store_are_told(tmp_path: Path) -> None:
    (found,) = find_ended(import_file(write_sales(tmp_path / "a.csv", 88, 60), "a"))
    assert (found["count"], found["action"]) == (1, "unknown")
    assert found["examples"][0]["value"] == "B · S1: 2026-03-02 – 2026-03-29"
    assert not find_ended(import_file(write_sales(tmp_path / "b.csv", 87, 60), "b"))


def test_days_after_the_end_count_as_zero_when_asked(tmp_path: Path) -> None:
    path = write_sales(tmp_path / "a.csv", 100, 60)
    left, filled = (
        import_file(path, "a"),
        import_file(path, "b", options=ImportOptions(choices={"ended": "zero"})),
    )
    assert np.isnan(read_panel(left).sales[1, 60:]).all()
    assert (read_panel(filled).sales[1, 60:] == 0).all() and filled.rows == left.rows + 40
    assert filled.rows == 400


def test_an_ending_that_was_told_is_not_told_with_newer_days(tmp_path: Path) -> None:
    import_file(write_sales(tmp_path / "a.csv", 88, 60), "a")
    newer = import_file(write_sales(tmp_path / "b.csv", 95, 60, first=88), "a")
    assert newer.rows == 4 * 95 - 35 and not find_ended(newer)


def test_a_product_with_a_plan_has_not_ended(tmp_path: Path) -> None:
    path = write_sales(tmp_path / "a.csv", 100, 60)
    path.write_text(path.read_text() + "2026-04-20,S1,B,\n")
    assert not find_ended(import_file(path, "a"))
