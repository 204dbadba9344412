"""A dataset without a file, and learners that need no data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from training import leases
from training.learning.pipeline import Progress
from training.models import TrainingRun
from training.queue import enqueue_run


class FakeBundle:
    def to_bytes(self) -> bytes:
        return b"weights"


class FakeLearned:
    bundle = FakeBundle()
    metrics = {"wape": 0.2, "seasonal_naive": {"wape": 0.3}}


class FakeLearning:
    """Three epochs, then a result."""

    def __init__(self, panel, plan, checkpoint=None) -> None:
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


@pytest.fixture
def data(db) -> DatasetVersion:
    dataset = Dataset.objects.create(name="pharmacies")
    return DatasetVersion.objects.create(
        dataset=dataset,
        number=1,
        state="ready",
        content_hash="0" * 64,
        first=date(2023, 1, 1),
        last=date(2024, 12, 31),
        stores=["S01"],
        products=["P001"],
        series=1,
    )


@pytest.fixture
def ask(data):
    """Queues a small training."""

    def queue(**asked) -> TrainingRun:
        return enqueue_run(data, Scope(), "seasonal_naive", **asked)

    return queue


@pytest.fixture
def claimed(ask) -> TrainingRun:
    run = leases.claim_run(ask().pk, 1, "here")
    assert run is not None
    return run


@pytest.fixture
def learner(monkeypatch):
    """Puts a learner in place of the numerics; gives a function that changes it."""

    def use(learning: type) -> None:
        monkeypatch.setattr("training.learning.pipeline.TrainingPipeline", learning)

    monkeypatch.setattr("registry.datasets.reader.read_panel", lambda version, scope: "panel")
    use(FakeLearning)
    return use
