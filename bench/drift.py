"""How soon a shift of sales is flagged, and how often one is seen where there is none.

    python -m bench.drift --seeds 20 --weeks 52 --algorithm trees

Each seed is a sample chain of its own, without seasons and flu waves unless --seasons is given: those are
true changes. A model learns once, then forecasts as of each week without learning again. Three weeks before
the end sales are multiplied; the whole time without that counts false alarms.
"""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from prediction.accuracy.drift import (
    STORE_THRESHOLD,
    THRESHOLD,
    Drift,
    WeekTotal,
    compare_with_others,
    find_bias_drift,
    find_skill_drift,
    usual_ratio,
)

WEEK, WATCHED = 7, range(7, 14)  # the second week of each run, as prediction/accuracy/alerts.py has it
LEARNED_DAYS = 730


def main() -> None:
    """Prints a line for each seed, then the figures."""
    parser = ArgumentParser(prog="bench.drift")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--weeks", type=int, default=52)
    parser.add_argument("--algorithm", default="trees")
    parser.add_argument("--budget", type=int, default=6)
    parser.add_argument("--shift", type=float, default=0.25)
    parser.add_argument("--seasons", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    import django

    django.setup()
    if not given.seasons:
        remove_seasons()
    flagged, false_alarms = {True: 0, False: 0}, []
    for seed in range(given.first, given.first + given.seeds):
        begun = time.process_time()
        delays, alarms = try_seed(seed, given)
        for is_up, days in delays.items():
            flagged[is_up] += days is not None and days <= 2 * WEEK
        false_alarms.append(alarms)
        used = time.process_time() - begun
        print(
            f"seed {seed}: up {delays[True]}, down {delays[False]} days; false {alarms}; {used:.0f} s",
            flush=True,
        )
    print(f"within 14 days: {flagged[True]} up and {flagged[False]} down of {given.seeds}")
    for name in ("total", "skill", "stores"):
        print(f"false alarms in {given.weeks} weeks, {name}:", [alarms[name] for alarms in false_alarms])


def remove_seasons() -> None:
    """Lets every day of the sample be like every other but for weekdays, promotions and chance."""
    from registry.datasets.sample import generator

    generator.draw_seasons = lambda sample, rng: np.ones((len(generator.CATEGORIES), sample.days))


def try_seed(seed: int, given: Namespace) -> tuple[dict[bool, int | None], dict[str, int]]:
    """Days until a shift up and one down are flagged (None: never), and false alarms without one."""
    from training.learning.pipeline import TrainingConfig, TrainingPipeline

    panel = make_panel(seed, given.weeks)
    start = panel.days - given.weeks * WEEK
    learned = panel.as_of(panel.start + np.timedelta64(start - 1, "D"))
    learning = TrainingPipeline(learned, TrainingConfig(given.algorithm, horizon=28, budget=given.budget))
    list(learning)
    bundle, usual = learning.result.bundle, usual_ratio(learning.result.metrics)
    calm = measure_weeks(bundle, panel, range(start, panel.days - 13, WEEK))
    column, newest = panel.days - 3 * WEEK + seed % WEEK, range(panel.days - 28, panel.days - 13, WEEK)
    delays = {}
    for factor in (1 + given.shift, 1 - given.shift):
        moved = measure_weeks(bundle, shift_sales(panel, column, factor), newest)
        weeks = [*calm[""][: -len(newest)], *moved[""]]
        delays[factor > 1] = find_delay(weeks, column, 1 if factor > 1 else -1)
    return delays, count_alarms(calm, usual)


def make_panel(seed: int, weeks: int) -> Any:
    """Four stores, twenty products."""
    import pandas as pd

    from registry.datasets.sample.generator import COUNTRY, SampleDataset
    from registry.series.panel import Panel

    with TemporaryDirectory() as folder:
        path = Path(folder, "chain.parquet")
        SampleDataset(stores=4, products=20, days=LEARNED_DAYS + weeks * WEEK, seed=seed).write_parquet(path)
        frame = pd.read_parquet(path)
    frame["date"] = pd.to_datetime(frame["date"])
    for name in ("store_id", "product_id"):
        frame[name] = frame[name].astype("category")
    known = {name: "known" for name in ("price", "promo") if name in frame}
    return Panel.from_frame(frame[["date", "store_id", "product_id", "sales", *known]], known, COUNTRY)


def shift_sales(panel: Any, column: int, factor: float) -> Any:
    """The panel with the sales of each day from the column on multiplied, in whole units."""
    sales = panel.sales.copy()
    sales[:, column:] = np.round(sales[:, column:] * factor)
    return replace(panel, sales=sales)


def measure_weeks(bundle: Any, panel: Any, columns: range) -> dict[str, list[WeekTotal]]:
    """The second week of a forecast from each column, of everything and of each store."""
    from registry.series.metrics import repeat_last_week
    from registry.series.quantiles import MEDIAN_INDEX

    stores = np.array([key[0] for key in panel.keys])
    groups = {"": np.arange(len(stores))} | {
        store: np.flatnonzero(stores == store) for store in np.unique(stores)
    }
    found: dict[str, list[WeekTotal]] = {name: [] for name in groups}
    for column in columns:
        known = panel.as_of(panel.start + np.timedelta64(column - 1, "D"))
        prediction = bundle.forecast(known, WATCHED.stop)
        days = slice(column + WATCHED.start, column + WATCHED.stop)
        actual = panel.open_sales[:, days].astype(float)
        mean, closed = prediction.mean[:, WATCHED], prediction.closed[:, WATCHED]
        naive = repeat_last_week(known.open_sales, WATCHED.stop)[:, WATCHED]
        missed = np.abs(actual - prediction.quantiles[:, WATCHED, MEDIAN_INDEX])
        is_known = (~np.isnan(actual) | closed).all(axis=1)
        for name, rows in groups.items():
            part = rows[is_known[rows]]
            paths = prediction.sum_paths([part])[:, 0, WATCHED].sum(axis=1, dtype=float)
            sold, expected = float(np.nansum(actual[part])), float(mean[part].sum(dtype=float))
            errors = float(np.nansum(missed[part])), float(np.nansum(np.abs(actual - naive)[part]))
            found[name].append(WeekTotal(days.stop - 1, sold, expected, float(paths.std()), *errors))
    return found


def count_alarms(weeks: dict[str, list[WeekTotal]], usual: Any) -> dict[str, int]:
    """Alarms while nothing changed, each counted once while it lasts."""
    found = {"total": 0, "skill": 0, "stores": 0}
    for name, known in weeks.items():
        threshold = STORE_THRESHOLD if name else THRESHOLD
        own = compare_with_others(known, weeks[""]) if name else known
        parts = [own[:stop] for stop in range(1, len(known) + 1)]
        found["stores" if name else "total"] += count_starts(
            [find_bias_drift(part, None, threshold) for part in parts]
        )
        if usual and not name:
            found["skill"] += count_starts([find_skill_drift(part, usual) for part in parts])
    return found


def count_starts(drifts: list[Drift | None]) -> int:
    """How often a drift begins."""
    return sum(
        now is not None and before is None for before, now in zip([None, *drifts], drifts, strict=False)
    )


def find_delay(weeks: list[WeekTotal], column: int, direction: int) -> int | None:
    """Days from the shift until it is flagged."""
    for stop in range(1, len(weeks) + 1):
        drift = find_bias_drift(weeks[:stop])
        if weeks[stop - 1].last >= column and drift and drift.direction == direction:
            return int(weeks[stop - 1].last - column + 1)
    return None


if __name__ == "__main__":
    main()
