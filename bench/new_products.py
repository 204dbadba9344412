"""New products: leave out a tenth of the products from learning, and forecast 28 days as their first.

    python -m bench.new_products
    python -m bench.new_products pasta --algorithms kan --budget 60 --folds 5

The left-out products have no past at all when they are forecast: no sales, no covariates before the origin.
Budgets count processor seconds, so that other work on the machine changes nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from bench import data
from registry.series import metrics
from registry.series.panel import Floats, Panel
from registry.series.quantiles import INTERVALS, MEDIAN_INDEX
from training.learning.holdout import actual_sales
from training.learning.pipeline import TrainingConfig, TrainingPipeline

NAMES, ALGORITHMS = ("pasta", "m5", "store-item"), ("trees", "kan")
HORIZON, PARTS = 28, 10  # days; one part of so many is left out
CATEGORIES = {"pasta": "brand", "m5": "dept_id"}
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Sales up to the origin with and without the left-out products, and what these sold after it."""

    learned: Panel
    asked: Panel
    rows: Rows  # the left-out series in `asked`
    actual: Floats  # [rows, HORIZON], NaN where closed or unknown
    category: Floats  # [S] of `asked`


def make_folds(name: str, count: int) -> Iterator[Fold]:
    """`count` of the PARTS parts of the products, drawn with a fixed seed."""
    panel = data.read_panel(name)
    seen = panel.as_of(panel.origin - np.timedelta64(HORIZON, "D"))
    actual = actual_sales(panel, seen.days, HORIZON)
    products = np.array([product for _store, product in panel.keys])
    category = panel.static.get(CATEGORIES.get(name, ""), np.zeros(len(products), np.float32))
    parts = np.array_split(np.random.default_rng(0).permutation(np.unique(products)), PARTS)
    for part in parts[:count]:
        left_out = np.isin(products, part)
        rows = np.flatnonzero(left_out & (~np.isnan(actual)).any(axis=1))
        yield Fold(
            seen.select_series(np.flatnonzero(~left_out)),
            hide_past(seen, np.flatnonzero(left_out)),
            rows,
            actual[rows],
            category,
        )


def hide_past(panel: Panel, rows: Rows) -> Panel:
    """The panel without anything before the origin of these series but their static columns."""

    def without(values: Floats, days: int) -> Floats:
        hidden = values.copy()
        hidden[rows, :days] = np.nan
        return hidden

    return replace(
        panel,
        sales=without(panel.sales, panel.days),
        known={name: without(values, panel.days) for name, values in panel.known.items()},
        past={name: without(values, panel.days) for name, values in panel.past.items()},
    )


def category_means(fold: Fold, days: int | None, same_store: bool) -> Floats:
    """Mean daily sales of the known series of each left-out one's category, over its newest days: [rows]."""
    sales = fold.asked.open_sales[:, -(days or fold.asked.days) :]
    stores = np.array([store for store, _product in fold.asked.keys])
    known = ~np.isin(np.arange(len(stores)), fold.rows) & (~np.isnan(sales)).any(axis=1)
    found = []
    for row in fold.rows:
        like = known & (fold.category == fold.category[row])
        like &= (stores == stores[row]) if same_store else True
        found.append(np.nanmean(sales[like if like.any() else known]))
    return np.array(found, np.float32)


def run_fold(fold: Fold, algorithm: str, budget: float) -> dict[str, float]:
    """Sums from which the scores of all folds together are computed."""
    learning = TrainingPipeline(fold.learned, TrainingConfig(algorithm, horizon=HORIZON, budget=budget))
    for _sign in learning:
        continue
    made = learning.result.bundle.forecast(fold.asked, HORIZON, fold.rows)
    points = {
        "forecast": made.quantiles[..., MEDIAN_INDEX],
        "category": category_means(fold, None, same_store=False)[:, None],
        "newest": category_means(fold, HORIZON, same_store=True)[:, None],
    }
    actual = fold.actual
    sums = {name: float(np.nansum(np.abs(actual - point))) for name, point in points.items()}
    known = (~np.isnan(actual)).sum()
    inside = metrics.coverage(actual, made.quantiles)
    whole = [made.sum_with_interval(np.array([row]))[1:] for row in range(len(fold.rows))]
    complete = ~np.isnan(actual).all(axis=1)
    sold = np.nansum(actual, axis=1)
    held = [low <= units <= high for (low, high), units in zip(whole, sold, strict=True)]
    return {
        **sums,
        "units": float(sold.sum()),
        "over": float(np.nansum(made.mean - actual)),
        "days": float(known),
        **{f"inside {share}": inside[share] * float(known) for share in INTERVALS},
        "series": float(complete.sum()),
        "sums": float(np.array(held)[complete].sum()),
    }


def describe(name: str, algorithm: str, sums: dict[str, float]) -> str:
    """A row of the table of docs/benchmarks.md."""
    units, days = sums["units"], sums["days"]
    shares = [sums[part] / units for part in ("forecast", "category", "newest")]
    inside = [sums[f"inside {share}"] / days for share in ("80", "95")]
    cells = [
        name,
        algorithm,
        f"{sums['series']:.0f}",
        *(f"{share:.3f}" for share in shares),
        f"{shares[0] / shares[1]:.2f}",
        f"{sums['over'] / units:+.1%}",
        *(f"{share:.0%}" for share in (*inside, sums["sums"] / sums["series"])),
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: list[str]) -> int:
    """Prints a row for each data set and algorithm, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.new_products")
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--algorithms", nargs="+", default=ALGORITHMS)
    parser.add_argument("--budget", type=float, default=20.0, help="processor seconds of each training")
    parser.add_argument("--folds", type=int, default=3, help=f"parts that are left out, 1 to {PARTS}")
    given = parser.parse_args(arguments)
    with mock.patch("time.monotonic", time.process_time):
        for name in given.names or NAMES:
            for algorithm in given.algorithms:
                found = [run_fold(fold, algorithm, given.budget) for fold in make_folds(name, given.folds)]
                sums = {part: sum(one[part] for one in found) for part in found[0]}
                print(describe(name, algorithm, sums), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
