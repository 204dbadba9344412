"""Estimates the seconds, memory and rounds of a training before it starts.

A linear formula of data size and budget, corrected by the actual cost of earlier trainings of the same
algorithm on this machine.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from statistics import median
from typing import Any

from django.utils.translation import gettext_noop

from training.events import RunEvent
from training.learning.defaults import (
    count_methods,
    count_test_windows,
    enough_budget,
    suggested_budget,
)
from training.models import TrainingRun

STARTUP_SECONDS = 8.0  # seconds to start a process with torch, read the sales and save
SECONDS_PER_DAY_CELL = 2e-5  # seconds to prepare and test one day of one series
DEFAULT_METHODS = 4  # that `auto` can try within the suggested time: those that win most often
BASE_MB = 550  # a process with torch and pandas loaded
MB_PER_CELL = 0.0002
MIN_ROUNDS, MAX_ROUND_SECONDS = 40, 6.0  # how often training.learning.loop reports progress
MAX_EARLIER_RUNS = 10  # earlier trainings used for the correction
FIRST_GUESS_TEXT = gettext_noop("A rough estimate: this method has not been trained on this machine yet.")
EXPERIENCE_TEXT = gettext_noop("Based on the size of the data and earlier trainings on this machine.")


def count_series_days(run: TrainingRun) -> int:
    """Approximate number of series times days in the run's scope."""
    data = run.dataset_version
    parts = {"global": 1, "store": len(data.stores), "product": len(data.products)}[run.kind]
    series: int = max(1, data.series // max(1, parts))
    return series * ((data.last - data.first).days + 1)


def base_estimate(run: TrainingRun) -> dict[str, float]:
    """The formula without correction: seconds, memory_mb, rounds."""
    size = count_series_days(run)
    seconds = STARTUP_SECONDS + run.budget + SECONDS_PER_DAY_CELL * size
    return {
        "seconds": seconds,
        "memory_mb": BASE_MB + MB_PER_CELL * size,
        "rounds": max(MIN_ROUNDS, run.budget / MAX_ROUND_SECONDS),
    }


def suggest_budget(run: TrainingRun) -> int:
    """Seconds that are enough for the method of this run, or for the best methods of `auto`, on its data."""
    from registry import algorithms

    cells = count_series_days(run)
    is_auto = run.algorithm == algorithms.AUTO.name
    entries = algorithms.list_algorithms() if is_auto else [algorithms.get_entry(run.algorithm)]
    timed = sum(entry.auto_priority > 0 for entry in entries)
    return suggested_budget(min(DEFAULT_METHODS, timed), cells)


def list_skipped_methods(run: TrainingRun) -> tuple[list[str], int]:
    """Methods that `auto` has no time for within the budget, and the seconds in which it could try all."""
    from registry import algorithms

    if run.algorithm != algorithms.AUTO.name:
        return [], 0
    cells, every = count_series_days(run), algorithms.list_algorithms()
    tried = algorithms.select_candidates(run.algorithm, count_methods(run.budget, cells))
    enough = enough_budget(sum(entry.auto_priority > 0 for entry in every), cells)
    return [entry.name for entry in every if entry not in tried], enough


def count_held_back(run: TrainingRun) -> int:
    """How many windows of the horizon are held back as a test."""
    data = run.dataset_version
    return count_test_windows((data.last - data.first).days + 1, run.horizon)


def training_seconds(run: TrainingRun, cost: dict[str, Any]) -> int:
    """The part of the estimated seconds that is spent on learning; the rest prepares, tests and saves."""
    share = run.budget / base_estimate(run)["seconds"]
    return int(min(run.budget, max(1, round(share * cost["seconds"]))))


def estimate_cost(run: TrainingRun) -> dict[str, Any]:
    """The corrected estimate: seconds, memory_mb, rounds; `known` = earlier trainings were found."""
    undisturbed = {"state": "done", "attempt": 1, "finish_requested": False, "host": socket.gethostname()}
    done = TrainingRun.objects.filter(algorithm=run.algorithm, **undisturbed)
    earlier = list(done.select_related("dataset_version").order_by("-finished_at")[:MAX_EARLIER_RUNS])
    cost = {name: value * correction_factor(name, earlier) for name, value in base_estimate(run).items()}
    return {name: round(value) for name, value in cost.items()} | {"known": bool(earlier)}


def correction_factor(name: str, earlier: Sequence[TrainingRun]) -> float:
    """Median of actual over estimated cost, between 0.1 and 5; 1 without earlier trainings."""
    ratios = [actual_cost(run)[name] / base_estimate(run)[name] for run in earlier if actual_cost(run)[name]]
    return min(5.0, max(0.1, median(ratios))) if ratios else 1.0


def actual_cost(run: TrainingRun) -> dict[str, float]:
    """Seconds of the last attempt, memory_mb and rounds; 0 = unknown."""
    start, end = run.started_at, run.finished_at
    seconds = (end - start).total_seconds() if start and end else 0.0
    rounds = run.events.filter(kind=RunEvent.Kind.EPOCH).count()
    return {"seconds": seconds, "memory_mb": run.memory_mb or 0, "rounds": rounds}
