"""Learners that need no data."""

from __future__ import annotations

from collections.abc import Iterator

from training.learning.progress import Progress


class FakeBundle:
    def to_bytes(self) -> bytes:
        return b"weights"


class FakeLearned:
    bundle = FakeBundle()
    metrics = {"wape": 0.2, "seasonal_naive": {"wape": 0.3}}
    holdout = None


class FakeLearning:
    """Three epochs, then a result."""

    def __init__(self, panel, plan, checkpoint=None, group=None) -> None:
        self.panel, self.plan = panel, plan

    def __iter__(self) -> Iterator[Progress]:
        for number in (1, 2, 3):
            yield epoch(number)
        self.result = FakeLearned()


def epoch(number: int) -> Progress:
    return Progress(
        step="learn",
        round=number,
        progress=number / 4,
        seconds_left=9.0 - number,
        train_error=0.5 / number,
        check_error=0.6 / number,
        text=f"Round {number}.",
    )
