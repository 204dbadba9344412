"""The run row is the protocol: every move is conditional, and the loser leaves nothing behind."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from registry.datasets.scope import Scope
from registry.model_versions.models import ForecastModel, ModelVersion
from tests.helpers.fake_training import epoch
from training import leases, queue
from training.models import QUEUE_NAME, TrainingRun

pytestmark = pytest.mark.django_db


def silence(run: TrainingRun) -> None:
    """The worker's last beat was long ago."""
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def begin(run: TrainingRun) -> ModelVersion:
    metrics = {"seasonal_naive": {"wape": 0.3}}
    asked = {"id": run.attempt_token, "algorithm": "kan", "wape": 0.1, "metrics": metrics}
    version = ModelVersion.objects.create_pending(run.dataset_version, run.scope, **asked)
    version.write(b"weights")
    return version


def queued() -> list[str]:
    return [row.args()[0] for row in OrmQ.objects.filter(key=QUEUE_NAME)]


def seqs(run: TrainingRun) -> list[int]:
    return list(run.events.order_by("seq").values_list("seq", flat=True))


def test_a_training_is_one_run_row_and_one_queue_row(ask):
    run = ask()
    assert run.state == "queued"
    assert queued() == [str(run.pk)]


def test_a_run_that_cannot_be_queued_is_not_saved(ask, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("queue")

    monkeypatch.setattr("training.models.async_task", broken)
    with pytest.raises(RuntimeError):
        ask()
    assert not TrainingRun.objects.exists()


def test_a_form_posted_twice_makes_one_run(ask):
    token = uuid.uuid4()
    assert ask(form_token=token) == ask(form_token=token)
    assert len(queued()) == 1


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"horizon": 0}, "choose a whole number from 1 to 365"),
        ({"horizon": 10_000}, "choose a whole number from 1 to 365"),
        ({"budget": 0}, "choose a whole number from 1 to 7200"),
        ({"config": {"nonsense": "1"}}, "nonsense"),
    ],
)
def test_a_wrong_wish_is_one_sentence_and_no_row(ask, asked, words):
    with pytest.raises(ValueError, match=words):
        ask(**asked)
    assert not TrainingRun.objects.exists()
    assert not queued()


def test_an_unknown_product_or_algorithm_is_one_sentence(data):
    with pytest.raises(ValueError, match="has no product 'P999'"):
        queue.enqueue_run(data, Scope("product", "P999"), "kan")
    with pytest.raises(ValueError, match="crystal"):
        queue.enqueue_run(data, Scope(), "crystal")


def test_a_run_claimed_twice_has_one_winner(ask):
    run = ask()
    first = leases.claim_run(run.pk, 1, "here")
    assert first is not None
    assert first.state == "running"
    assert leases.claim_run(run.pk, 2, "there") is None


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_claim_at_once_have_one_winner(ask):
    run = ask()
    won = in_threads(4, lambda: leases.claim_run(run.pk, 1, "here"))
    assert sum(winner is not None for winner in won) == 1
    run.refresh_from_db()
    assert run.attempt == 1


def test_the_attempt_is_counted_at_the_start(claimed):
    assert claimed.attempt == 1
    silence(claimed)
    again = leases.claim_run(claimed.pk, 2, "there")
    assert again.attempt == 2
    silence(again)
    assert leases.claim_run(claimed.pk, 3, "there") is None


def test_a_run_that_ended_or_is_gone_is_not_claimed(claimed):
    claimed.mark_failed("Broken.")
    assert leases.claim_run(claimed.pk, 2, "there") is None
    assert leases.claim_run(uuid.uuid4(), 2, "there") is None


def test_a_beat_extends_the_lease_and_sees_the_stop_flag(claimed):
    silence(claimed)
    assert leases.renew_lease(claimed)
    assert not claimed.cancel_requested
    TrainingRun.objects.get(pk=claimed.pk).cancel()
    assert leases.renew_lease(claimed)
    assert claimed.cancel_requested
    assert TrainingRun.objects.get(pk=claimed.pk).lease_until > timezone.now()


def test_progress_is_told_without_a_gap(claimed):
    assert claimed.record_progress([epoch(1), epoch(2)])
    assert claimed.record_progress([epoch(3)])
    row = TrainingRun.objects.get(pk=claimed.pk)
    assert (row.step, row.progress, row.seconds_left) == ("learn", 0.75, 6.0)
    assert seqs(row) == list(range(1, row.last_seq + 1))
    points = [event.data["round"] for event in row.events.filter(kind="epoch")]
    assert points == [1, 2, 3]


def test_finishing_publishes_the_version(claimed):
    version = begin(claimed)
    assert claimed.finish_with_version(version)
    row = TrainingRun.objects.get(pk=claimed.pk)
    assert (row.state, row.version, row.progress, row.pid) == ("done", version, 1.0, None)
    assert ModelVersion.objects.get().state == "ready"
    assert ForecastModel.objects.get().best == version


def test_an_attempt_that_lost_the_run_changes_nothing(claimed):
    silence(claimed)
    leases.claim_run(claimed.pk, 2, "there")
    version = begin(claimed)
    before = TrainingRun.objects.get(pk=claimed.pk)
    assert not leases.renew_lease(claimed)
    assert not claimed.record_progress([epoch(1)])
    assert not claimed.finish_with_version(version)
    assert not claimed.mark_failed("Broken.")
    after = TrainingRun.objects.get(pk=claimed.pk)
    assert (after.state, after.last_seq, after.version) == ("running", before.last_seq, None)
    assert ModelVersion.objects.get().state == "pending"


def test_a_failed_attempt_leaves_no_half_saved_version(claimed):
    version = begin(claimed)
    assert claimed.mark_failed("Broken.")
    assert not ModelVersion.objects.exists()
    assert not storages["artifacts"].exists(version.path)
    assert TrainingRun.objects.get(pk=claimed.pk).error == "Broken."


def test_the_reaper_queues_a_silent_run_again_and_then_fails_it(claimed):
    OrmQ.objects.all().delete()
    silence(claimed)
    version = begin(claimed)
    assert leases.expire_lost_runs() == [claimed]
    row = TrainingRun.objects.get(pk=claimed.pk)
    assert (row.state, row.attempt, row.pid) == ("queued", 1, None)
    assert queued() == [str(row.pk)]
    assert not storages["artifacts"].exists(version.path)
    silence(leases.claim_run(row.pk, 2, "there"))
    leases.expire_lost_runs()
    row.refresh_from_db()
    assert row.state == "failed"
    assert "lost its worker twice" in row.error
    assert seqs(row) == list(range(1, row.last_seq + 1))


def test_the_reaper_takes_a_run_that_never_beat(claimed):
    TrainingRun.objects.filter(pk=claimed.pk).update(lease_until=None, heartbeat_at=None)
    assert leases.expire_lost_runs() == [claimed]
    assert TrainingRun.objects.get(pk=claimed.pk).state == "queued"


def test_the_reaper_leaves_a_beating_run_alone(claimed):
    assert leases.expire_lost_runs() == []
    assert TrainingRun.objects.get(pk=claimed.pk).state == "running"


def test_the_reaper_ends_a_silent_run_that_was_to_be_stopped(claimed):
    TrainingRun.objects.get(pk=claimed.pk).cancel()
    silence(claimed)
    leases.expire_lost_runs()
    assert TrainingRun.objects.get(pk=claimed.pk).state == "cancelled"


def test_a_waiting_run_that_left_the_queue_returns_to_it(ask):
    run = ask()
    OrmQ.objects.all().delete()
    assert leases.requeue_lost_runs() == []
    TrainingRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    assert leases.requeue_lost_runs() == [run]
    assert queued() == [str(run.pk)]
    assert leases.requeue_lost_runs() == []


def test_stopping_a_waiting_run_ends_it_at_once(ask):
    run = ask()
    run.cancel()
    run.cancel()
    assert TrainingRun.objects.get(pk=run.pk).state == "cancelled"
    assert leases.claim_run(run.pk, 1, "here") is None


def test_stopping_an_ended_run_changes_nothing(claimed):
    claimed.mark_failed("Broken.")
    TrainingRun.objects.get(pk=claimed.pk).cancel()
    assert TrainingRun.objects.get(pk=claimed.pk).state == "failed"


def test_a_run_released_in_good_order_keeps_its_attempts(claimed):
    assert leases.release_run(claimed)
    row = TrainingRun.objects.get(pk=claimed.pk)
    assert (row.state, row.attempt) == ("queued", 0)
    assert str(row.pk) in queued()


def test_waiting_runs_without_anybody_at_work_are_a_stalled_queue(ask):
    run = ask()
    assert leases.is_stalled()
    leases.claim_run(run.pk, 1, "here")
    ask()
    assert not leases.is_stalled()


@pytest.mark.django_db(transaction=True)
def test_runs_that_finish_at_once_get_numbers_without_a_gap(ask):
    runs = [leases.claim_run(ask().pk, 1, "here") for _ in range(8)]
    in_threads(4, lambda: [run.finish_with_version(begin(run)) for run in take_two(runs)])
    assert sorted(ModelVersion.objects.ready().values_list("number", flat=True)) == list(range(1, 9))


def take_two(runs: list[TrainingRun]) -> list[TrainingRun]:
    return [runs.pop(), runs.pop()]


def in_threads(count: int, work) -> list:
    """Runs the work in threads that start together; gives the results."""
    gate, results = threading.Barrier(count), []

    def body() -> None:
        gate.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=body) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results


def test_a_job_that_a_dead_worker_took_is_replaced_and_one_that_waits_is_not(ask):
    first, second = ask(), ask()
    TrainingRun.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    taken = OrmQ.objects.filter(key=QUEUE_NAME).first()
    OrmQ.objects.filter(pk=taken.pk).update(lock=timezone.now() + timedelta(hours=2))
    assert leases.requeue_lost_runs() in ([first], [second])
    assert leases.requeue_lost_runs() == []
