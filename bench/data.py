"""The benchmark data sets as panels, and the origins of their windows."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from registry.series.panel import Panel

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """One sales file: the columns used, their roles, and the horizon in days."""

    file: str
    roles: dict[str, str] = field(default_factory=dict)
    country: str = ""
    horizon: int = 28


ROSSMANN = {
    **dict.fromkeys(("open", "promo", "holiday", "state_holiday", "school_holiday"), "known"),
    **dict.fromkeys(("store_type", "assortment", "competition_distance", "promo2"), "static"),
}
M5 = {"price": "known", "event": "known", "snap": "known", "dept_id": "static", "cat_id": "static"}
FILES = {
    "pasta": DataSet(
        file="italian_pasta_to_2018-03-26.parquet",
        roles={"promo": "known", "brand": "static"},
        country="IT",
    ),
    "rossmann": DataSet(
        file="rossmann_111stores_to_2014-04-07.parquet", roles=ROSSMANN, country="DE", horizon=48
    ),
    "m5": DataSet(file="m5_CA_4stores_FOODS_1_HOUSEHOLD_1_to_2016-04-24.parquet", roles=M5, country="US"),
    "store-item": DataSet(file="store_item_demand_to_2017-09-30.parquet"),
    "retail": DataSet(file="online_retail_ii.parquet", country="GB"),
}
SAMPLE = {
    "sample": DataSet(file="", roles={"promo": "known", "price": "known", "category": "static"}, country="DE")
}


def get_data_set(name: str) -> DataSet:
    """The data set of that name; raises ValueError with the available names."""
    every = {**FILES, **SAMPLE}
    if name not in every:
        raise ValueError(f"Unknown data set {name!r}: choose from {', '.join(every)}.")
    return every[name]


def get_shared_folder() -> Path:
    """The folder of the shared files; it may not exist."""
    return Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")


def list_available() -> dict[str, DataSet]:
    """The data sets whose files exist, by name; the sample if there are none."""
    found = {name: data for name, data in FILES.items() if (get_shared_folder() / data.file).is_file()}
    return found or SAMPLE


@cache
def read_panel(name: str) -> Panel:
    """The sales of that name as a panel."""
    data = get_data_set(name)
    frame = (
        pd.read_parquet(get_shared_folder() / data.file) if data.file else make_sample(stores=4, products=25)
    )
    roles = {column: role for column, role in data.roles.items() if column in frame}
    return Panel.from_frame(frame[["date", "store_id", "product_id", "sales", *roles]], roles, data.country)


def make_sample(**size: int) -> pd.DataFrame:
    """The generated pharmacy chain."""
    from tempfile import TemporaryDirectory

    from registry.datasets.sample.generator import SampleDataset

    with TemporaryDirectory() as place:
        SampleDataset(**size).write_parquet(Path(place) / "sample.parquet")
        return pd.read_parquet(Path(place) / "sample.parquet")


def choose_origins(panel: Panel, horizon: int, windows: int) -> list[np.datetime64]:
    """The last known day of each window at the end of the sales, oldest first."""
    from training.learning import backtest

    return backtest.choose_origins(panel, horizon, windows, horizon)
