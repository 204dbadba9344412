"""AutoETS and SeasonalNaive of statsforecast, one model for each series.

Where AutoETS cannot do all series within the budget, the rest is forecast by SeasonalNaive, and the result
notes it. Run as `python -m bench.peers.classical FOLDER`; see bench.exchange for the folder.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoETS, SeasonalNaive

from bench.peers import common

CHUNK = 24  # series between two checks of the time
NEWEST = 730  # days of history for a model


def forecast(task: common.Task) -> dict[str, Any]:
    """Every series by AutoETS while time is left, the rest by SeasonalNaive."""
    started = time.monotonic()
    frame = task.past[["unique_id", "ds"]].assign(y=common.fill_gaps(task.past).astype("float64"))
    frame = frame[frame["ds"] > frame["ds"].max() - pd.Timedelta(days=NEWEST)]
    table = run_model(frame, SeasonalNaive(season_length=7), task)
    names, by_ets, found = task.ahead["unique_id"].unique(), 0, []
    if task.plan["algorithm"] == "ets":
        for first in range(0, len(names), CHUNK):
            if time.monotonic() - started > 0.95 * task.plan["budget"]:
                break
            part = names[first : first + CHUNK]
            found.append(run_model(frame[frame["unique_id"].isin(part)], AutoETS(season_length=7), task))
            by_ets += len(part)
        rest = table[table["unique_id"].isin(names[by_ets:])]
        table = pd.concat([*found, rest]).sort_values(["unique_id", "ds"])
    spent = time.monotonic() - started
    point = task.to_grid(table["model"])
    bounds = {
        percent: (task.to_grid(table[f"model-lo-{percent}"]), task.to_grid(table[f"model-hi-{percent}"]))
        for percent in common.PERCENT
    }
    note = f"AutoETS for {by_ets} of {len(names)} series" if task.plan["algorithm"] == "ets" else ""
    return {
        "mean": point,
        "quantiles": common.build_quantiles(task, point, bounds),
        "fit": spent,
        "forecast": 0.0,  # included in fit
        "intervals": True,
        "note": note,
    }


def run_model(frame: pd.DataFrame, model: Any, task: common.Task) -> pd.DataFrame:
    """unique_id, ds, model, model-lo-50 ... in the order of the days ahead."""
    model.alias = "model"
    engine = StatsForecast(
        [model], freq="D", n_jobs=1, fallback_model=SeasonalNaive(season_length=7, alias="model")
    )
    found = engine.forecast(df=frame, h=task.horizon, level=common.PERCENT)
    return (
        found.sort_values(["unique_id", "ds"], ignore_index=True).replace([np.inf, -np.inf], np.nan).fillna(0)
    )


if __name__ == "__main__":
    common.run_peer(forecast)
