"""One window of one of our algorithms, by the code that `manage.py backtest` runs.

Run as `python -m bench.ours FOLDER`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import data
from registry.series import calibration, metrics
from registry.series.prediction import Prediction
from registry.series.quantiles import INTERVALS
from training import backtest
from training.learning import Plan


def main(place: Path) -> None:
    """Reads plan.json; writes forecast.npz and result.json."""
    told = json.loads((place / "plan.json").read_text())
    names = ("algorithm", "horizon", "budget", "seed", "threads")
    plan = Plan(**{name: told[name] for name in names})
    panel, started = data.read(told["data"]), time.monotonic()
    (window,) = backtest.backtest(panel, plan, [np.datetime64(told["window"], "D")])
    spent = time.monotonic() - started
    prediction = window.prediction
    np.savez(place / "forecast.npz", mean=prediction.mean, quantiles=prediction.quantiles)
    result: dict[str, Any] = {
        "all": spent,
        "fit": window.fit_seconds,
        "forecast": window.forecast_seconds,
        "intervals": True,
        "note": ", ".join(f"{row['algorithm']} {row['wape']:.3f}" for row in window.leaderboard[:3]),
        "totals": totals(prediction, window.actual),
    }
    (place / "result.json").write_text(json.dumps(metrics.plain(result)))


def totals(prediction: Prediction, actual: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Coverage of the intervals of every store, every product and everything."""
    found: dict[str, dict[str, float]] = {}
    for kind, groups in calibration.group_rows(prediction.keys).items():
        if kind == "series" or (len(groups) == 1 and kind != "all"):
            continue
        known = [group for group in groups if not np.isnan(actual[group]).all()]
        sold = np.array([total_sold(actual[group]) for group in known])
        ranges = np.array([prediction.total(group).quantiles[0] for group in known])
        found[kind] = metrics.coverage(sold, ranges) if known else dict.fromkeys(INTERVALS, float("nan"))
    return found


def total_sold(actual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum of a group by day; NaN on days without any record.

    >>> total_sold(np.array([[1, np.nan], [2, np.nan]], np.float32)).tolist()
    [3.0, nan]
    """
    return np.where(np.isnan(actual).all(axis=0), np.nan, np.nansum(actual, axis=0)).astype(np.float32)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
