"""The data sets of the bench, as panels, and the windows on which everybody is judged."""

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
class Data:
    """One file of sales: which columns are used and as what, and how far ahead it is forecast."""

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
    "pasta": Data(
        file="italian_pasta_to_2018-03-26.parquet",
        roles={"promo": "known", "brand": "static"},
        country="IT",
    ),
    "rossmann": Data(
        file="rossmann_111stores_to_2014-04-07.parquet", roles=ROSSMANN, country="DE", horizon=48
    ),
    "m5": Data(file="m5_CA_4stores_FOODS_1_HOUSEHOLD_1_to_2016-04-24.parquet", roles=M5, country="US"),
    "store-item": Data(file="store_item_demand_to_2017-09-30.parquet"),
    "retail": Data(file="online_retail_ii.parquet", country="GB"),
}
SAMPLE = {
    "sample": Data(file="", roles={"promo": "known", "price": "known", "category": "static"}, country="DE")
}


def get(name: str) -> Data:
    """The data set of that name; raises ValueError with the names there are."""
    every = {**FILES, **SAMPLE}
    if name not in every:
        raise ValueError(f"There are no data {name!r}: use some of {', '.join(every)}.")
    return every[name]


def folder() -> Path:
    """Where the shared files lie, if they do."""
    return Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")


def available() -> dict[str, Data]:
    """The files that are there, by their short names; without any, the sample."""
    found = {name: data for name, data in FILES.items() if (folder() / data.file).is_file()}
    return found or SAMPLE


@cache
def read(name: str) -> Panel:
    """The sales of that name as a panel."""
    data = get(name)
    frame = pd.read_parquet(folder() / data.file) if data.file else sample(stores=4, products=25)
    roles = {column: role for column, role in data.roles.items() if column in frame}
    return Panel.from_frame(frame[["date", "store_id", "product_id", "sales", *roles]], roles, data.country)


def sample(**size: int) -> pd.DataFrame:
    """The made-up chain of the product."""
    from tempfile import TemporaryDirectory

    from registry.datasets.sample.generator import SampleDataset

    with TemporaryDirectory() as place:
        SampleDataset(**size).write_parquet(Path(place) / "sample.parquet")
        return pd.read_parquet(Path(place) / "sample.parquet")


def origins(panel: Panel, horizon: int, windows: int) -> list[np.datetime64]:
    """The last known day of each window at the end of the sales, oldest first."""
    from training.learning import backtest

    return backtest.choose_origins(panel, horizon, windows, horizon)
