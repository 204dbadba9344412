"""What a training will cost: seconds, memory and rounds, told before the start and held against the truth.

A plain formula of the panel's size and the budget, corrected by how earlier trainings of the same algorithm
on this machine came out against it.
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
LEARNING_SHARE = 0.8  # share of the budget that learning fills when nothing disturbs it
SECONDS_PER_DAY_CELL = 6e-6  # seconds to prepare and test one day of one series
BASE_MB = 550  # torch and its friends
MB_PER_CELL = 0.0002
MIN_ROUNDS, MAX_ROUND_SECONDS = (
    40,
    6.0,
)  # signs of life and longest seconds of one, as training.learning.loop has them
MAX_EARLIER_RUNS = 10  # earlier trainings that are looked at
FIRST_GUESS_TEXT = gettext_noop("A first guess: this method has not been trained on this machine yet.")
EXPERIENCE_TEXT = gettext_noop("From the size of the data and earlier trainings on this machine.")


def count_series_days(run: TrainingRun) -> int:
    """Days of sales in the run's scope, over all its series."""
    data = run.dataset_version
    parts = {"global": 1, "store": len(data.stores), "product": len(data.products)}[run.kind]
    series: int = max(1, data.series // max(1, parts))
    return series * ((data.last - data.first).days + 1)


def base_estimate(run: TrainingRun) -> dict[str, float]:
    """Without any experience."""
    size = count_series_days(run)
    seconds = STARTUP_SECONDS + LEARNING_SHARE * run.budget + SECONDS_PER_DAY_CELL * size
    return {
        "seconds": seconds,
        "memory_mb": BASE_MB + MB_PER_CELL * size,
        "rounds": max(MIN_ROUNDS, run.budget / MAX_ROUND_SECONDS),
    }


def estimate_cost(run: TrainingRun) -> dict[str, Any]:
    """The formula times what earlier trainings took against it: seconds, memory_mb, rounds, known."""
    undisturbed = {"state": "done", "attempt": 1, "finish_requested": False, "host": socket.gethostname()}
    done = TrainingRun.objects.filter(algorithm=run.algorithm, **undisturbed)
    earlier = list(done.select_related("dataset_version").order_by("-finished_at")[:MAX_EARLIER_RUNS])
    guess = {name: value * correction_factor(name, earlier) for name, value in base_estimate(run).items()}
    return {name: round(value) for name, value in guess.items()} | {"known": bool(earlier)}


def correction_factor(name: str, earlier: Sequence[TrainingRun]) -> float:
    """The median of truth over formula, within sense; 1 without experience."""
    shares = [actual_cost(run)[name] / base_estimate(run)[name] for run in earlier if actual_cost(run)[name]]
    return min(5.0, max(0.1, median(shares))) if shares else 1.0


def actual_cost(run: TrainingRun) -> dict[str, float]:
    """What it took, beside `estimate`: seconds of the last attempt, memory, rounds; 0 = not known."""
    begun, over = run.started_at, run.finished_at
    took = (over - begun).total_seconds() if begun and over else 0.0
    rounds = run.events.filter(kind=RunEvent.Kind.EPOCH).count()
    return {"seconds": took, "memory_mb": run.memory_mb or 0, "rounds": rounds}
