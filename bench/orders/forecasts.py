"""Forecasts that the games are played with: learned with our own code, and cached, since learning is slow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import torch

from bench import data
from bench.cells import get_cache_folder
from registry.series.panel import Floats, Panel
from training.learning.pipeline import TrainingConfig, TrainingPipeline

WEEKLY_FILE = "vn2_weekly_to_2023-10-09.parquet"
STATIC = ("product_group", "division", "department", "department_group", "store_format", "format")
PATHS = 400
FIRST_STEP = np.datetime64("2001-01-01")  # a Monday: weeks stand on days that follow each other


@dataclass(frozen=True)
class Learned:
    """What is learned at an origin, and how far ahead it forecasts, in columns of the panel."""

    data: str
    algorithm: str = "trees"
    budget: float = 20.0
    horizon: int = 4
    test_windows: int = 6


@cache
def read_weekly() -> Panel:
    """The VN2 sales, each week on a day of its own: a step of the panel is a week.

    Weeks out of stock are unknown. `season` is known ahead: the chain's sales of that week a year before, as
    a share of the mean of the year around it, since calendar features of the invented days say nothing.
    """
    frame = pd.read_parquet(data.get_shared_folder() / WEEKLY_FILE)
    weeks = pd.to_datetime(frame["date"])
    step = ((weeks - weeks.min()).dt.days // 7).to_numpy()
    frame = frame.assign(
        date=FIRST_STEP + step.astype("timedelta64[D]"),
        sales=frame["sales"].where(frame["in_stock"].astype(bool)),
        **{name: frame[name].astype(str) for name in STATIC},
    )
    columns = ["date", "store_id", "product_id", "sales", *STATIC]
    panel = Panel.from_frame(frame[columns], dict.fromkeys(STATIC, "static"))
    total = np.nansum(panel.sales, axis=0)
    season = np.full(panel.days, np.nan, np.float32)
    for week in range(52, panel.days):
        season[week] = total[week - 52] / total[week - 52 : week].mean()  # nothing later than a week before
    panel.known["season"] = np.broadcast_to(season, panel.sales.shape).copy()
    return panel


def read_panel(name: str) -> Panel:
    """The panel of a data set of the benchmarks, or the weekly one."""
    return read_weekly() if name == "vn2" else data.read_panel(name)


def draw_paths(learned: Learned, start: int, origins: list[int], days: int) -> dict[int, Floats]:
    """Sample paths [N, S, days] of the columns after each origin, by a model that learned up to `start`.

    start and origins are columns; the model sees sales up to the origin, and learns nothing after `start`.
    """
    folder = get_cache_folder() / "orders"
    folder.mkdir(parents=True, exist_ok=True)
    parts = (learned.data, learned.algorithm, learned.budget, learned.horizon, learned.test_windows)
    name = "-".join(str(part) for part in (*parts, start, days))
    paths = [folder / f"{name}-{origin}.npy" for origin in origins]
    if not all(path.is_file() for path in paths):
        panel = read_panel(learned.data)
        learning = TrainingPipeline(_as_of(panel, start), _config(learned))
        for _round in learning:
            continue
        bundle = learning.result.bundle
        for origin, path in zip(origins, paths, strict=True):
            made = bundle.forecast(_as_of(panel, origin), days)
            row_of = {key: row for row, key in enumerate(made.keys)}
            drawn = made.draw_paths(count=PATHS)
            found = np.zeros((PATHS, len(panel.keys), days), np.float32)
            rows = [(place, row_of[key]) for place, key in enumerate(panel.keys) if key in row_of]
            into, out = np.array(rows).T
            found[:, into] = drawn[:, out]
            kind = np.uint16 if made.calibration.whole else np.float32  # no count of these sales is larger
            np.save(path, found.astype(kind))
    return {origin: np.load(path).astype(np.float32) for origin, path in zip(origins, paths, strict=True)}


def _as_of(panel: Panel, column: int) -> Panel:
    return panel.as_of(panel.start + np.timedelta64(column, "D"))


def _config(learned: Learned) -> TrainingConfig:
    torch.set_num_threads(1)
    return TrainingConfig(
        learned.algorithm, horizon=learned.horizon, budget=learned.budget, windows=learned.test_windows
    )
