"""The cost of a training is told before it starts, learns from earlier ones, and is held against truth."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from django.utils import timezone

from training import estimate
from training.models import TrainingRun
from training.process import limits

pytestmark = pytest.mark.django_db


def end(run: TrainingRun, seconds: float, memory: int) -> None:
    """The run is done and took that much."""
    now = timezone.now()
    took = {"started_at": now - timedelta(seconds=seconds), "finished_at": now, "memory_mb": memory}
    TrainingRun.objects.filter(pk=run.pk).update(
        state="done", host=socket.gethostname(), attempt=1, estimate=run.estimate, **took
    )


def test_a_longer_budget_and_a_larger_panel_cost_more(ask, data):
    short, long = ask(budget=10), ask(budget=100)
    assert short.estimate["seconds"] < long.estimate["seconds"]
    data.series = 5000
    data.save()
    large = ask(budget=100)
    assert large.estimate["memory_mb"] > long.estimate["memory_mb"]
    assert not large.estimate["known"]


def test_earlier_trainings_on_this_machine_correct_the_guess(ask):
    for _number in range(3):
        run = ask(budget=60)
        end(run, 2 * estimate.base_estimate(run)["seconds"], 2000)
    found = ask(budget=60).estimate
    assert found["known"]
    assert abs(found["seconds"] - 2 * estimate.base_estimate(run)["seconds"]) <= 1
    assert abs(found["memory_mb"] - 2000) <= 1


def test_a_disturbed_training_teaches_nothing(ask):
    run = ask(budget=60)
    end(run, 3000, 100)
    TrainingRun.objects.filter(pk=run.pk).update(finish_requested=True)
    assert not ask(budget=60).estimate["known"]


def test_the_memory_that_was_taken_is_noted(claimed):
    from tests.helpers.fake_training import epoch

    claimed.record_progress([epoch(1)])
    assert estimate.actual_cost(TrainingRun.objects.get())["memory_mb"] == limits.peak_memory_mb() > 20
