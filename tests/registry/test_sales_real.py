"""The five files of real sales import with one command, and the report is right."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db
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
    assert report["findings"] == []
