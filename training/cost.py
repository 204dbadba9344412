"""What a training will cost: seconds, memory and rounds, told before the start and held against the truth.

A plain formula of the panel's size and the budget, corrected by how earlier trainings of the same algorithm
on this machine came out against it.
"""

from __future__ import annotations

import resource
import socket
import sys
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    from training.models import TrainingRun

START = 6.0  # seconds to start a process with torch, read the sales and save
LEARNING = 0.8  # share of the budget that learning fills when nothing disturbs it
PER_CELL = 6e-6  # seconds to prepare and test one day of one series
BASE_MB = 550  # torch and its friends
MB_PER_CELL = 0.0002
ROUNDS, LONGEST = 40, 6.0  # signs of life and longest seconds of one, as training.loop has them
LATEST = 10  # earlier trainings that are looked at
PLAIN = gettext_noop("A first guess: this method has not been trained on this machine yet.")
KNOWN = gettext_noop("From the size of the data and earlier trainings on this machine.")


def cells(run: TrainingRun) -> int:
    """Days of sales in the run's scope, over all its series."""
    data = run.dataset_version
    parts = {"global": 1, "store": len(data.stores), "product": len(data.products)}[run.kind]
    series: int = max(1, data.series // max(1, parts))
    return series * ((data.last - data.first).days + 1)


def formula(run: TrainingRun) -> dict[str, float]:
    """Without any experience."""
    size = cells(run)
    seconds = START + LEARNING * run.budget + PER_CELL * size
    return {
        "seconds": seconds,
        "memory_mb": BASE_MB + MB_PER_CELL * size,
        "rounds": max(ROUNDS, run.budget / LONGEST),
    }


def estimate(run: TrainingRun) -> dict[str, Any]:
    """The formula times what earlier trainings took against it: seconds, memory_mb, rounds, known."""
    undisturbed = {"state": "done", "attempt": 1, "finish_requested": False, "host": socket.gethostname()}
    done = type(run).objects.filter(algorithm=run.algorithm, **undisturbed)
    earlier = list(done.select_related("dataset_version").order_by("-finished_at")[:LATEST])
    guess = {name: value * corrected(name, earlier) for name, value in formula(run).items()}
    return {name: round(value) for name, value in guess.items()} | {"known": bool(earlier)}


def corrected(name: str, earlier: Sequence[TrainingRun]) -> float:
    """The median of truth over formula, within sense; 1 without experience."""
    shares = [run.truth[name] / formula(run)[name] for run in earlier if run.truth[name]]
    return min(5.0, max(0.1, median(shares))) if shares else 1.0


def peak_mb() -> int:
    """The most memory that this process has taken so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1024 * 1024 if sys.platform == "darwin" else 1024)
