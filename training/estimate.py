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
from training.models import TrainingRun

STARTUP_SECONDS = 6.0  # seconds to start a process with torch, read the sales and save
LEARNING_SHARE = 0.8  # share of the budget that learning uses when undisturbed
SECONDS_PER_DAY_CELL = 6e-6  # seconds to prepare and test one day of one series
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
    seconds = STARTUP_SECONDS + LEARNING_SHARE * run.budget + SECONDS_PER_DAY_CELL * size
    return {
        "seconds": seconds,
        "memory_mb": BASE_MB + MB_PER_CELL * size,
        "rounds": max(MIN_ROUNDS, run.budget / MAX_ROUND_SECONDS),
    }


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
