"""How often the ranges of sums hold: over days, series, products, stores and everything.

    python -m bench.sums [DATA ...]

Learns anew at each of ORIGINS origins (default 4, 28 days apart), forecasts 56 days, and counts how many sums
of the days ahead lie in their 80% and 95% ranges. ALGORITHM (default trees) and BUDGET (default 20) are those
of `manage.py backtest`.
"""

from __future__ import annotations

import os
import sys
from collections import defaultdict

import numpy as np
import torch

from bench import data
from registry.series.calibration import group_rows
from registry.series.panel import Floats, Panel
from registry.series.paths import read_quantiles
from registry.series.prediction import Prediction
from training.learning.holdout import actual_sales
from training.learning.pipeline import TrainingConfig, TrainingPipeline

HORIZON, AHEAD = 28, 56  # days learned and tested; days forecast
SPANS = (3, 7, 14, 28, 56)  # days added up, from the first day ahead
LEVELS = (0.025, 0.1, 0.9, 0.975)
Hits = dict[tuple[str, int], list[tuple[bool, bool]]]  # kind, days -> in the 80% and the 95% range


def main(names: list[str]) -> None:
    """Prints a table for each data set."""
    torch.set_num_threads(1)
    for name in names or [*data.list_available()]:
        hits = measure(name)
        print(f"\n{name}\n\n| sum of | " + " | ".join(f"{days} days" for days in SPANS) + " |")
        print("|---|" + "---|" * len(SPANS))
        for kind in dict.fromkeys(kind for kind, _days in hits):
            print(f"| {kind} | " + " | ".join(describe(hits.get((kind, days), [])) for days in SPANS) + " |")


def describe(found: list[tuple[bool, bool]]) -> str:
    """Shares in the 80% and the 95% range, and how many sums these are.

    >>> describe([(True, True), (False, True)])
    '0.50, 1.00 (2)'
    """
    if not found:
        return "–"
    inner, outer = np.mean(found, axis=0)
    return f"{inner:.2f}, {outer:.2f} ({len(found)})"


def measure(name: str) -> Hits:
    """The hits of every kind of sum, over all origins."""
    panel = data.read_panel(name)
    hits: Hits = defaultdict(list)
    config = TrainingConfig(
        os.environ.get("ALGORITHM", "trees"), horizon=HORIZON, budget=float(os.environ.get("BUDGET", "20"))
    )
    last = panel.days - AHEAD
    for back in reversed(range(int(os.environ.get("ORIGINS", "4")))):
        count_hits(panel, last - back * HORIZON, config, hits)
    return hits


def count_hits(panel: Panel, column: int, config: TrainingConfig, hits: Hits) -> None:
    """Adds the sums of the days from `column`, forecast from the days before it."""
    seen = panel.as_of(panel.start + np.timedelta64(column - 1, "D"))
    learning = TrainingPipeline(seen, config)
    for _round in learning:
        continue
    prediction = learning.result.bundle.forecast(seen, AHEAD)
    actual = actual_sales(panel, column, AHEAD)
    known = ~np.isnan(actual)
    for kind, groups in group_rows(prediction.keys).items():
        # series with gaps have no sum to compare; of totals, only what is known counts
        chosen = [rows for rows in groups if len(rows) > 1 or known[rows[0]].mean() > 0.5]
        if not chosen:
            continue
        paths = prediction.sampler().sum_groups(chosen, known)
        sold = np.stack([np.nansum(actual[rows], axis=0) for rows in chosen])
        for days in SPANS:
            hits[kind, days] += list_hits(prediction, paths[:, :days].sum(axis=1), sold[:, :days].sum(axis=1))


def list_hits(prediction: Prediction, paths: Floats, sold: Floats) -> list[tuple[bool, bool]]:
    """Whether each sum [G] lies in the 80% and in the 95% range of its paths [G, N]."""
    ends = read_quantiles(paths, prediction.calibration.whole, LEVELS).T
    inner, outer = (sold >= ends[1]) & (sold <= ends[2]), (sold >= ends[0]) & (sold <= ends[3])
    return list(zip(inner.tolist(), outer.tolist(), strict=True))


if __name__ == "__main__":
    main(sys.argv[1:])
