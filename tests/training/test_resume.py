"""A training whose worker was lost goes on from its checkpoint: same numbers, nothing told twice."""

from __future__ import annotations

import pytest

from registry.datasets.scope import Scope
from training import leases, queue
from training.learning import checkpoint, loop
from training.models import TrainingRun
from training.runner import Superseded, execute

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)
    monkeypatch.setattr("training.runner.FLUSH", 0.0)


@pytest.fixture
def train(sales):
    def claim(run: TrainingRun | None = None) -> TrainingRun:
        asked = {"horizon": 14, "budget": 600, "config": {"steps": 40, "batch": 64}}
        run = run or queue.enqueue(sales, Scope(), "kan", **asked)
        return leases.claim(run.pk, 1, "here")

    return claim


def curve(run: TrainingRun) -> list[dict]:
    return list(run.events.filter(kind="epoch").order_by("seq").values_list("data", flat=True))


def test_an_interrupted_run_ends_with_the_numbers_and_the_curve_of_one_left_alone(train, monkeypatch):
    whole = train()
    expected = execute(whole)
    broken, record, calls = train(), TrainingRun.record, []

    def lost(run, *given):
        calls.append(1)
        return record(run, *given) if len(calls) < 15 else False

    monkeypatch.setattr(TrainingRun, "record", lost)
    with pytest.raises(Superseded):
        execute(broken)
    monkeypatch.setattr(TrainingRun, "record", record)
    assert leases.release(broken)
    again, steps, step = train(broken), [], loop._step
    monkeypatch.setattr(loop, "_step", lambda *given: steps.append(1) or step(*given))
    found = execute(again)
    assert len(steps) < 60
    assert found.read() == expected.read()
    assert found.metrics == expected.metrics
    assert curve(again) == curve(whole)
    assert not again.folder.exists()


def test_finishing_now_publishes_what_was_learned(train):
    run = train()
    run.finish_early()
    version = execute(run)
    assert version.state == "ready"
    assert TrainingRun.objects.get(pk=run.pk).state == "done"
    assert sum(point["step"] == "learn" for point in curve(run)) == 1
