"""A training whose worker was lost goes on from its checkpoint: same numbers, nothing told twice."""

from __future__ import annotations

import pytest

from registry.datasets.scope import Scope
from training import leases, queue
from training.learning import checkpoint, loop
from training.models import TrainingRun
from training.runner import LeaseLost, train_and_publish

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(checkpoint, "SAVE_SECONDS", 0.0)
    monkeypatch.setattr("training.runner.FLUSH_SECONDS", 0.0)


@pytest.fixture
def train(sales):
    def claim(run: TrainingRun | None = None) -> TrainingRun:
        asked = {"horizon": 14, "budget": 600, "config": {"steps": 40, "batch": 64}}
        run = run or queue.enqueue_run(sales, Scope(), "kan", **asked)
        return leases.claim_run(run.pk, 1, "here")

    return claim


def curve(run: TrainingRun) -> list[dict]:
    return list(run.events.filter(kind="epoch").order_by("seq").values_list("data", flat=True))


def test_an_interrupted_run_ends_with_the_numbers_and_the_curve_of_one_left_alone(train, monkeypatch):
    whole = train()
    expected = train_and_publish(whole)
    broken, record, calls = train(), TrainingRun.record_progress, []

    def lost(run, *given):
        calls.append(1)
        return record(run, *given) if len(calls) < 15 else False

    monkeypatch.setattr(TrainingRun, "record_progress", lost)
    with pytest.raises(LeaseLost):
        train_and_publish(broken)
    monkeypatch.setattr(TrainingRun, "record_progress", record)
    assert leases.release_run(broken)
    again, steps, step = train(broken), [], loop._train_step
    monkeypatch.setattr(loop, "_train_step", lambda *given: steps.append(1) or step(*given))
    found = train_and_publish(again)
    assert len(steps) < 60
    assert found.read() == expected.read()
    assert found.metrics == expected.metrics
    assert curve(again) == curve(whole)
    assert not again.checkpoint_folder.exists()


def test_finishing_now_publishes_what_was_learned(train):
    run = train()
    run.finish_early()
    version = train_and_publish(run)
    assert version.state == "ready"
    assert TrainingRun.objects.get(pk=run.pk).state == "done"
    assert sum(point["step"] == "learn" for point in curve(run)) == 1
