"""Shared by all peers: read the exchange folder, fill gaps, write the forecast."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from registry.series.quantiles import INTERVALS, MEDIAN_INDEX, QUANTILE_LEVELS

PERCENT = [int(name) for name in INTERVALS]  # prediction intervals that peers compute


@dataclass
class Task:
    """One window: the days up to its origin, the days ahead, and the plan."""

    past: pd.DataFrame
    ahead: pd.DataFrame
    plan: dict[str, Any]

    @property
    def horizon(self) -> int:
        return int(self.plan["horizon"])

    @property
    def covariates(self) -> list[str]:
        """Columns known ahead."""
        return list(self.plan["known"])

    def to_grid(self, column: np.ndarray | pd.Series) -> np.ndarray:
        """Values in the order of `ahead` as [S, H]; 0 for series without sales before the origin."""
        result = np.zeros((self.plan["series"], self.horizon), np.float32)
        result[self.ahead["unique_id"].unique()] = np.asarray(column, np.float32).reshape(-1, self.horizon)
        return result

    @property
    def closed(self) -> np.ndarray:
        """[S, H]: days on which nothing can be sold."""
        return self.to_grid(self.ahead["closed"]) > 0


def fill_gaps(past: pd.DataFrame) -> pd.Series:
    """`y` without gaps: the same weekday up to eight weeks earlier, else 0.

    >>> frame = pd.DataFrame({"unique_id": [0] * 8, "y": [5.0, *[1.0] * 6, np.nan]})
    >>> fill_gaps(frame).tolist()[-1]
    5.0
    """
    y = past["y"].copy()
    for _week in range(8):
        if not y.isna().any():
            break
        y = y.fillna(y.groupby(past["unique_id"]).shift(7))
    return y.fillna(0)


def build_quantiles(
    task: Task, median: np.ndarray, bounds: dict[int, tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Quantiles [S, H, Q] from a median [S, H] and (low, high) of each interval.

    They are sorted, not negative, and 0 on closed days.
    """
    result = np.repeat(median[..., None], len(QUANTILE_LEVELS), axis=2)
    for percent, (low, high) in bounds.items():
        ends = INTERVALS[str(percent)]
        result[..., ends[0]], result[..., ends[1]] = low, high
    result = np.sort(np.maximum(result, 0), axis=2)
    result[..., MEDIAN_INDEX] = np.maximum(median, 0)
    result[task.closed] = 0
    return np.sort(result, axis=2)


def run_peer(forecast: Callable[[Task], dict[str, Any]]) -> None:
    """Runs one peer on the folder named on the command line.

    `forecast` returns mean [S, H], quantiles [S, H, Q], fit and forecast seconds, and a note.
    """
    place = Path(sys.argv[1])
    plan = json.loads((place / "plan.json").read_text())
    task = Task(pd.read_parquet(place / "past.parquet"), pd.read_parquet(place / "ahead.parquet"), plan)
    started = time.monotonic()
    result = forecast(task)
    mean = np.where(task.closed, 0, np.maximum(result.pop("mean"), 0)).astype(np.float32)
    np.savez(place / "forecast.npz", mean=mean, quantiles=result.pop("quantiles").astype(np.float32))
    (place / "result.json").write_text(json.dumps({"all": time.monotonic() - started, **result}))
