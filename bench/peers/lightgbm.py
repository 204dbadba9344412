"""LightGBM through mlforecast: lags, rolling means, calendar and all covariates.

L1 for the absolute error and Tweedie for the bias, both recursive; and a direct L1 on lags of at least the
horizon. Settings were tuned on windows before the scored ones, with one exception: histories of less than
two years get no month and day of year, because every scored window of rossmann was worse with them.

Run as `python -m bench.peers.lightgbm FOLDER`; see bench.exchange.
"""

from __future__ import annotations

import time
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from lightgbm.callback import EarlyStopException
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExpandingMean, RollingMean, SeasonalRollingMean
from mlforecast.target_transforms import GlobalSklearnTransformer
from sklearn.preprocessing import FunctionTransformer

from bench.peers import common

YEAR = [364, 371]
TWO_YEARS = 730  # days of history from which month and day of year are used
GOALS: dict[str, dict[str, Any]] = {
    "lightgbm-l1": {"objective": "l1"},
    "lightgbm-direct": {"objective": "l1"},
    "lightgbm-tweedie": {"objective": "tweedie", "tweedie_variance_power": 1.2},
}
TREES, RATE = 300, 0.05
MOST_ROWS = 1_000_000  # training rows; a random sample if there are more
MOST_FEATURES = 3_000_000  # rows with lags computed: the newest days


class TimedRegressor(lightgbm.LGBMRegressor):
    """Stops adding trees when the time budget is spent."""

    until = float("inf")

    def fit(self, X: Any, y: Any, **given: Any) -> TimedRegressor:
        def stop(step: Any) -> None:
            if time.monotonic() > TimedRegressor.until:
                raise EarlyStopException(step.iteration, [])

        super().fit(X, y, callbacks=[stop], **given)
        return self


def forecast(task: common.Task) -> dict[str, Any]:
    """One point forecast per day, without prediction intervals."""
    started = time.monotonic()
    TimedRegressor.until = started + 0.95 * task.plan["budget"]
    static = task.plan["static"] + task.plan["codes"]
    model = build_model(task)
    frame = keep_newest(
        task.past.assign(y=common.fill_gaps(task.past), w=task.past["y"].notna().astype("float32"))
    )
    frame = frame[["unique_id", "ds", "y", "w", *task.covariates, *static]]
    rows = model.preprocess(frame, static_features=static, dropna=False, weight_col="w")
    rows = rows[(rows["w"] > 0).to_numpy()]
    if len(rows) > MOST_ROWS:
        rows = rows.sample(MOST_ROWS, random_state=task.plan["seed"])
    features = [name for name in rows if name not in ("unique_id", "ds", "y")]
    model.ts.features_order_ = [name for name in features if name != "w"]
    model.fit_models(rows[features], rows["y"].to_numpy())
    learned = time.monotonic()
    ahead = task.ahead[["unique_id", "ds", *task.covariates]]
    point = task.to_grid(model.predict(task.horizon, X_df=ahead)["model"])
    done = time.monotonic()
    trees = model.models_["model"].booster_.num_trees()
    return {
        "mean": point,
        "quantiles": common.build_quantiles(task, point, {}),
        "fit": learned - started,
        "forecast": done - learned,
        "intervals": False,
        "note": f"{trees} trees from {len(rows):,} days",
    }


def build_model(task: common.Task) -> MLForecast:
    """The model. Tweedie fits raw counts; L1 fits logarithms, which leave the median where it is."""
    goal = GOALS[task.plan["algorithm"]]
    logarithm = GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1))
    longest = task.past["unique_id"].value_counts().max()
    model = TimedRegressor(
        n_estimators=TREES,
        learning_rate=RATE,
        num_leaves=63 if len(task.past) > 100_000 else 31,
        colsample_bytree=0.7,
        subsample=0.8,
        subsample_freq=1,
        n_jobs=task.plan["threads"],
        random_state=task.plan["seed"],
        verbose=-1,
        **goal,
    )
    return MLForecast(
        {"model": model},
        freq="D",
        **build_lags(task.horizon if task.plan["algorithm"].endswith("direct") else 1, longest),
        date_features=["dayofweek", "day"] + ["month", "dayofyear"] * bool(longest >= TWO_YEARS),
        num_threads=task.plan["threads"],
        target_transforms=[logarithm] if goal["objective"] == "l1" else None,
    )


def build_lags(nearest: int, longest: int) -> dict[str, Any]:
    """Lags from `nearest` days on and rolling means before them, as arguments of MLForecast."""
    week = -(-nearest // 7) * 7
    near = [1, 2, 3, 4, 5, 6] if nearest == 1 else [nearest]
    lags = sorted({*near, *(week + 7 * k for k in range(6))})
    means = [*(RollingMean(days, min_samples=1) for days in (7, 28, 56)), ExpandingMean()]
    rhythm = [SeasonalRollingMean(7, weeks, min_samples=1) for weeks in (4, 8)]
    return {
        "lags": lags + YEAR * bool(longest >= 400),
        "lag_transforms": {nearest: means, week: rhythm},
    }


def keep_newest(frame: pd.DataFrame) -> pd.DataFrame:
    """The newest days, at most MOST_FEATURES rows."""
    if len(frame) <= MOST_FEATURES:
        return frame
    by_day = frame["ds"].value_counts().sort_index(ascending=False).cumsum()
    first = by_day[by_day <= MOST_FEATURES].index.min()
    return frame[frame["ds"] >= first]


if __name__ == "__main__":
    common.run_peer(forecast)
