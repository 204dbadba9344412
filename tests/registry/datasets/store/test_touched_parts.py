"""A file that touches few parts: only these are read and written, and all that is told is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from registry.datasets.catalog import Item
from registry.datasets.importer import import_file, restore_version
from registry.datasets.importing import parts
from registry.datasets.importing.findings import MAX_EXAMPLES
from registry.datasets.importing.options import ImportOptions
from registry.datasets.importing.pieces import plan
from registry.datasets.models import DatasetVersion
from registry.datasets.reader import read_frame
from registry.datasets.store import layout

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
START, DAYS = np.datetime64("2025-01-06"), 300
STORES, PRODUCTS = ["S1", "S2", "S3"], [f"P{number}" for number in range(8)]


@pytest.fixture(autouse=True)
def touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MIN_ROWS", 0)
    monkeypatch.setattr(layout, "SERIES_PER_BUCKET", 12)
    monkeypatch.setattr(layout, "SPANS", 18)


def make_chain(first: int = 0, days: int = DAYS) -> pd.DataFrame:
    """Sales of some days, each the same whenever it is made."""
    frame = pd.MultiIndex.from_product(
        [START + np.arange(first, first + days), STORES, PRODUCTS], names=["date", "store_id", "product_id"]
    ).to_frame(index=False)
    number = (frame["date"] - pd.Timestamp(START)).dt.days.to_numpy()
    place = frame.index.to_numpy() % (len(STORES) * len(PRODUCTS))
    frame["sales"] = 20 + (number * 7 + place * 5) % 9
    frame["price"] = 2.0 + place % 8
    frame["product_name"] = "Product " + frame["product_id"]
    return frame


def add(frame: pd.DataFrame, name: str, folder: Path, **how: object) -> DatasetVersion:
    path = folder / "chain.parquet"
    frame.to_parquet(path, index=False)
    return import_file(path, name, options=ImportOptions(on_problem="propose", **how))


def describe(version: DatasetVersion) -> dict:
    """All that is told about a version, except pictures and which examples of many are shown."""
    facts = {
        name: getattr(version, name) for name in ("rows", "series", "first", "last", "stores", "products")
    }
    findings = [
        (
            one["code"],
            one["count"],
            one["action"],
            one.get("effect"),
            sorted(each["value"] for each in one["examples"]) if len(one["examples"]) < MAX_EXAMPLES else [],
        )
        for one in version.findings
    ]
    items = Item.objects.filter(dataset=version.dataset).order_by("kind", "code").values()
    kept = [{key: item[key] for key in item if key not in ("id", "dataset_id")} for item in items]
    return {**facts, "findings": findings, "items": kept, "summary": version.reading["summary"]}


def change_level(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[(frame["product_id"] == "P3") & (frame["store_id"] == "S2"), "sales"] *= 5
    return frame


def leave_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """A store without two days, a product without four, one that ends, a wrong unit, something new."""
    day = (frame["date"] - frame["date"].min()).dt.days
    missing = (frame["store_id"] == "S3") & day.isin([10, 11])
    missing |= (frame["product_id"] == "P5") & (frame["store_id"] == "S1") & day.between(3, 6)
    missing |= (frame["product_id"] == "P6") & (frame["store_id"] == "S1")
    frame.loc[(frame["product_id"] == "P1") & (frame["store_id"] == "S1") & (day == 20), "sales"] = 9_000
    new = frame[frame["product_id"] == "P1"].assign(product_id="P9", product_name="Ninth")
    return pd.concat([frame[~missing], new], ignore_index=True)


def plan_days(frame: pd.DataFrame) -> pd.DataFrame:
    """The last two days without sales."""
    return frame.assign(sales=frame["sales"].where(frame["date"] == frame["date"].min()))


UPDATES = {
    "a day more": lambda: make_chain(DAYS, 1),
    "a doubled level": lambda: change_level(make_chain(DAYS, 28)),
    "gaps and a new product": lambda: leave_gaps(make_chain(DAYS, 40)),
    "after a pause": lambda: make_chain(DAYS + 90, 3),
    "a correction": lambda: make_chain(150, 2).assign(sales=3.0),
    "one product": lambda: make_chain(DAYS, 2).query("product_id == 'P2'"),
    "a plan": lambda: plan_days(make_chain(DAYS, 3)),
}


@pytest.mark.parametrize("update", UPDATES)
def test_what_is_told_is_the_same_as_of_all_rows(
    update: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(make_chain(), "chain", tmp_path)
    version = add(UPDATES[update](), "chain", tmp_path)
    found = describe(version)
    restore_version(first)
    monkeypatch.setattr(plan, "MAX_SHARE", -1)
    expected = add(UPDATES[update](), "chain", tmp_path)
    assert found == describe(expected)
    found, wanted = (read_frame(one) for one in (version, expected))
    pd.testing.assert_frame_equal(found, wanted)
    assert version.content_hash == expected.content_hash


def test_only_near_parts_are_read_and_only_touched_ones_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(make_chain(), "chain", tmp_path)
    read: list[Path] = []
    load = parts.load_parts

    def load_and_note(paths, with_extras):
        read.extend(found := list(paths))
        return load(found, with_extras)

    monkeypatch.setattr("registry.datasets.importing.pieces.base.load_parts", load_and_note)
    second = add(make_chain(DAYS, 1), "chain", tmp_path)
    own = set(second.parts.all()) - set(first.parts.all())
    assert len({part.span for part in own}) == 1 and len(own) == second.layout.buckets
    assert 0 < len(read) < first.parts.count() / 2


def test_zeros_for_missing_days_are_filled_in_all_of_a_series(tmp_path: Path) -> None:
    add(make_chain(), "chain", tmp_path)
    gap = make_chain(DAYS, 30)
    gap = gap[(gap["product_id"] != "P4") | (gap["date"] == gap["date"].max())]
    version = add(gap, "chain", tmp_path, choices={"product-gap": "zero"})
    assert version.rows == len(make_chain(0, DAYS + 30))


def test_another_column_reads_all_rows(tmp_path: Path) -> None:
    add(make_chain(), "chain", tmp_path)
    version = add(make_chain(DAYS, 1).assign(promo=1.0), "chain", tmp_path)
    assert read_frame(version)["promo"].notna().sum() == len(STORES) * len(PRODUCTS)
    assert version.roles["promo"] == "known" and set(version.roles) == {"price", "product_name", "promo"}
