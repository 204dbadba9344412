"""A new version and the one in use on the same newest days. Pure.

The new one's forecasts are those of its test, made before it had learned these days. The one in use forecasts
afresh, from each origin of the test, with what was known then. Only days after its own data count; when there
are too few of them, all test days do, and it may have learned some.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.model_versions.bundle import Bundle
from registry.series.panel import Floats
from registry.series.quantiles import MEDIAN_INDEX
from training.learning.holdout import Holdout

MIN_NEW_DAYS = 7  # a week: with fewer days, what weekday they are decides
Forecast = tuple[Floats, Floats]  # median and mean, [S, H] each


def compare_on_same_days(holdout: Holdout, bundle: Bundle, last_learned: np.datetime64) -> dict[str, Any]:
    """The errors and biases of both, as JSON; empty if nothing was sold on these days."""
    masks, has_learned = choose_days(holdout, last_learned)
    windows, sums = [], np.zeros(5)
    for index, mask in enumerate(masks):
        if not mask.any():
            continue
        trial, actual = holdout.scored[index], np.where(mask, holdout.actuals[index], np.nan)
        mine: Forecast = (trial.quantiles[..., MEDIAN_INDEX], trial.mean)
        found = sum_errors(actual, mine, forecast_window(holdout, bundle, index))
        sums += found
        if found[0]:
            windows.append(
                {"origin": str(holdout.origin(index)), "days": int(mask.sum())}
                | {"mine": float(found[1] / found[0]), "theirs": float(found[2] / found[0])}
            )
    if not sums[0]:
        return {}
    mine_error, their_error, my_bias, their_bias = (float(part / sums[0]) for part in sums[1:])
    return {
        "days": int(sum(mask.sum() for mask in masks)),
        "mine": mine_error,
        "theirs": their_error,
        "my_bias": my_bias,
        "their_bias": their_bias,
        "has_learned": has_learned,
        "windows": windows,
    }


def choose_days(holdout: Holdout, last_learned: np.datetime64) -> tuple[list[NDArray[np.bool_]], bool]:
    """Which days of each window count, bool [H], and whether the version in use may have learned some."""
    ahead = np.arange(1, holdout.horizon + 1)
    masks = [
        holdout.origin(index) + ahead.astype("timedelta64[D]") > last_learned
        for index in range(len(holdout.columns))
    ]
    if sum(mask.sum() for mask in masks) >= MIN_NEW_DAYS:
        return masks, False
    return [np.ones(holdout.horizon, bool) for _mask in masks], True


def forecast_window(holdout: Holdout, bundle: Bundle, index: int) -> Forecast:
    """What the bundle expects of the days of a window, from the sales before it."""
    made = bundle.forecast(holdout.panel.as_of(holdout.origin(index)), holdout.horizon)
    return made.quantiles[..., MEDIAN_INDEX], made.mean


def sum_errors(actual: Floats, mine: Forecast, theirs: Forecast) -> NDArray[np.float64]:
    """Units sold, |error| of the medians of both, and forecast - actual of the means of both."""
    missed = [np.nansum(np.abs(actual - median)) for median, _mean in (mine, theirs)]
    over = [np.nansum(mean - actual) for _median, mean in (mine, theirs)]
    return np.array([np.nansum(np.abs(actual)), *missed, *over], np.float64)
