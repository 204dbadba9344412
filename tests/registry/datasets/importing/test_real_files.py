"""The five files of real sales import with one command, and the report is right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.management import call_command

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ROLES = {
    "italian_pasta_to_2018-03-26": {"promo": "known", "brand": "static"},
    "m5_CA_4stores_FOODS_1_HOUSEHOLD_1_to_2016-04-24": {
        "price": "known",
        "event": "known",
        "snap": "known",
        "dept_id": "static",
        "cat_id": "static",
    },
    "online_retail_ii": {"price": "known", "returned": "past", "orders": "past"},
    "rossmann_111stores_to_2014-04-07": {
        "open": "known",
        "promo": "known",
        "holiday": "known",
        "state_holiday": "known",
        "school_holiday": "known",
        "customers": "past",
        "store_type": "static",
        "assortment": "static",
        "competition_distance": "static",
        "promo2": "static",
    },
    "store_item_demand_to_2017-09-30": {},
}


@pytest.mark.parametrize("name", ROLES)
def test_a_real_file_imports_with_one_command(
    name: str, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared_data / f"{name}.parquet"
    call_command("import_sales", str(path), "--name", name, "--json")
    report = json.loads(capsys.readouterr().out)
    frame = pd.read_parquet(path)
    assert report["rows"] == len(frame)
    assert report["stores"] == frame["store_id"].nunique()
    assert report["products"] == frame["product_id"].nunique()
    assert report["series"] == len(frame[["store_id", "product_id"]].drop_duplicates())
    assert (report["first"], report["last"]) == (str(frame["date"].min()), str(frame["date"].max()))
    assert report["roles"] == ROLES[name]
    found = {finding["code"]: finding["count"] for finding in report["findings"]}
    assert found.pop("only-sold", 0) == holes_between_sales(frame, name)
    assert {code: found.pop(code, 0) for code in ("store-gap", "short", "constant")} == counted(frame)
    assert set(found) <= {"outlier", "level-change", "ended"}


def series_of(frame: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    frame["date"] = pd.to_datetime(frame["date"])
    frame = frame.sort_values("date")
    return frame.groupby(["store_id", "product_id"], observed=True)


def counted(frame: pd.DataFrame) -> dict[str, int]:
    """The findings that a person can count with a few lines of pandas."""
    sales = series_of(frame)["sales"]
    shut = 0
    for _store, dates in frame.groupby("store_id", observed=True)["date"]:
        shut += (dates.max() - dates.min()).days + 1 - dates.nunique()
    return {
        "store-gap": shut,
        "short": int((sales.count() < 28).sum()),
        "constant": int(((sales.count() >= 28) & (sales.nunique() == 1)).sum()),
    }


def holes_between_sales(frame: pd.DataFrame, name: str) -> int:
    """Days on which the store sold something, but not this product, between two days of it."""
    if name != "online_retail_ii":
        return 0
    groups = series_of(frame)["date"]
    open_days = {store: np.sort(part.unique()) for store, part in frame.groupby("store_id")["date"]}
    holes = 0
    for (store, _product), first, last, count in zip(
        groups.min().index, groups.min(), groups.max(), groups.count(), strict=True
    ):
        span = np.searchsorted(open_days[store], [first.to_datetime64(), last.to_datetime64()])
        holes += int(span[1] - span[0]) + 1 - int(count)
    return holes
