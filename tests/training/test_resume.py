"""A training whose worker was lost goes on from its checkpoint: same numbers, nothing told twice."""

from __future__ import annotations

from datetime import timedelta

import pytest

from registry.datasets.scope import Scope
from registry.storage.shared_folder import SharedFolder, StoreUnreachable
from tests.helpers.installation import until
from training import checkpoint_copies, leases, queue
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
    assert not again.shared_checkpoint.path.exists()


def test_another_host_goes_on_from_the_copies_in_the_store(train, monkeypatch, shared_store, go_to_host):
    monkeypatch.setattr(checkpoint_copies, "PAUSE_SECONDS", 0.0)
    whole = train()
    expected = train_and_publish(whole)
    go_to_host("one")
    broken, record, calls = train(), TrainingRun.record_progress, []
    copies = shared_store / "runs" / str(broken.pk)

    def lost(run, *given):
        calls.append(1)
        if len(calls) < 15:
            return record(run, *given)
        until(20, lambda: list(copies.glob("*.safetensors")))
        return False

    monkeypatch.setattr(TrainingRun, "record_progress", lost)
    with pytest.raises(LeaseLost):
        train_and_publish(broken)
    monkeypatch.setattr(TrainingRun, "record_progress", record)
    assert leases.release_run(broken)
    go_to_host("two")
    again, steps, step = train(broken), [], loop._train_step
    assert "Training resumed from its last checkpoint." in again.events.values_list("text", flat=True)
    monkeypatch.setattr(loop, "_train_step", lambda *given: steps.append(1) or step(*given))
    found = train_and_publish(again)
    assert 0 < len(steps) < 80
    assert found.read() == expected.read()
    assert not copies.exists() and not again.shared_checkpoint.path.exists()


def test_a_store_that_does_not_answer_costs_the_copies_and_not_the_training(
    train, monkeypatch, shared_store, caplog
):
    def fail(folder, *names):
        raise StoreUnreachable("no answer")

    for name in ("share", "has_files", "replace_by_stored"):
        monkeypatch.setattr(SharedFolder, name, fail)
    run = train()
    assert train_and_publish(run).state == "ready"
    assert "could not be fetched: no answer" in caplog.text
    assert "could not be copied: no answer" in caplog.text


def test_copies_of_runs_that_are_over_are_swept(train, shared_store, go_to_host, monkeypatch):
    go_to_host("one")
    run = train()
    for name in (str(run.pk), "0-0-0-0-0"):
        folder = SharedFolder(f"runs/{name}")
        folder.path.mkdir(parents=True)
        (folder.path / "001.safetensors").write_bytes(b"weights")
        folder.share("001.safetensors")
    leases.delete_orphan_copies()
    assert len(list((shared_store / "runs").iterdir())) == 2
    monkeypatch.setattr(leases, "MIN_ORPHAN_AGE", timedelta(seconds=-5))
    leases.delete_orphan_copies()
    assert [path.name for path in (shared_store / "runs").iterdir()] == [str(run.pk)]


def test_finishing_now_publishes_what_was_learned(train):
    run = train()
    run.finish_early()
    version = train_and_publish(run)
    assert version.state == "ready"
    assert TrainingRun.objects.get(pk=run.pk).state == "done"
    assert sum(point["step"] == "learn" for point in curve(run)) == 1
