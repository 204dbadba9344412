"""One window of one of our algorithms, through the code behind `manage.py backtest`.

Run as `python -m bench.ours FOLDER`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from bench import data
from registry.series import metrics
from registry.series.error_breakdown import error_breakdown
from training.learning import backtest
from training.learning.pipeline import TrainingConfig


def main(place: Path) -> None:
    """Reads plan.json; writes forecast.npz and result.json."""
    given = json.loads((place / "plan.json").read_text())
    names = ("algorithm", "horizon", "budget", "seed", "threads")
    plan = TrainingConfig(**{name: given[name] for name in names})
    panel, started = data.read_panel(given["data"]), time.monotonic()
    (window,) = backtest.run_backtest(panel, plan, [np.datetime64(given["window"], "D")])
    spent = time.monotonic() - started
    prediction = window.prediction
    parts = error_breakdown([window.holdout_window], prediction.keys, window.past)
    np.savez(place / "forecast.npz", mean=prediction.mean, quantiles=prediction.quantiles)
    result: dict[str, Any] = {
        "all": spent,
        "fit": window.fit_seconds,
        "forecast": window.forecast_seconds,
        "intervals": True,
        "note": ", ".join(f"{row['algorithm']} {row['wape']:.3f}" for row in window.leaderboard[:3]),
        "totals": parts["totals"],
        "levels": {row["level"]: {"80": row["coverage"]} for row in parts["by_level"]},
    }
    (place / "result.json").write_text(json.dumps(metrics.replace_nan(result)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
