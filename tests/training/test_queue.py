"""Whose turn it is: people take turns, quotas hold, and a run that is over leaves no checkpoint."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django_q.models import OrmQ

from training import leases, queue
from training.models import QUEUE_NAME, TrainingRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> list[User]:
    return [User.objects.create_user(name) for name in ("ana", "ben", "cyd")]


def take() -> TrainingRun | None:
    row = OrmQ.objects.filter(key=QUEUE_NAME).order_by("pk").first()
    if row is None:
        return None
    row.delete()
    return leases.claim_next(row.args()[0], 1, "here")


def end(run: TrainingRun) -> None:
    assert run.mark_failed("Over.")


def test_people_take_turns_however_many_they_queue(ask, people):
    ana, ben, cyd = people
    for person in (ana, ana, ana, ben, cyd, ben):
        ask(created_by=person)
    order = []
    while (run := take()) is not None:
        order.append(run.created_by.username)
        end(run)
    assert order == ["ana", "ben", "cyd", "ana", "ben", "ana"]


def test_who_has_just_had_a_turn_waits_for_the_others(ask, people):
    ana, ben, _cyd = people
    ask(created_by=ana)
    end(take())
    ask(created_by=ana)
    ask(created_by=ben)
    assert take().created_by == ben


def test_one_person_has_one_training_in_work(ask, people, settings):
    ana, ben, _cyd = people
    ask(created_by=ana)
    ask(created_by=ana)
    first = take()
    assert take() is None
    ask(created_by=ben)
    assert take().created_by == ben
    end(first)
    assert leases.claim_next(first.pk, 1, "here").created_by == ana
    settings.RUNNING_PER_USER = 2
    ask(created_by=ana)
    assert take().created_by == ana


def test_a_run_that_had_to_wait_for_its_owner_gets_a_job_again(ask, people, monkeypatch):
    monkeypatch.setattr("training.leases.REQUEUE_LOST_AFTER", -leases.LEASE_DURATION)
    ask(created_by=people[0])
    waiting = ask(created_by=people[0])
    first = take()
    assert take() is None
    assert leases.requeue_lost_runs() == []
    end(first)
    assert leases.requeue_lost_runs() == [waiting]
    assert take() == waiting


def test_what_the_machine_starts_has_no_quota(ask):
    for _number in range(8):
        ask()
    assert all(take() for _number in range(8))


def test_too_many_waiting_trainings_are_one_clear_sentence(ask, people):
    for _number in range(settings.WAITING_PER_USER):
        ask(created_by=people[0])
    with pytest.raises(ValueError, match="You already have 5 trainings waiting"):
        ask(created_by=people[0])
    assert TrainingRun.objects.count() == OrmQ.objects.count() == 5
    assert ask(created_by=people[1]).state == "queued"


def test_asking_for_the_same_again_twice_makes_one_run(ask, people):
    run = ask(created_by=people[0], horizon=7, budget=9, seed=3, config={"past_days": 28})
    run.cancel()
    again = queue.repeat_run(run, people[1])
    assert again == queue.repeat_run(run, people[1])
    assert (again.horizon, again.budget, again.seed, again.config) == (7, 9, 3, {"past_days": 28})
    assert (again.state, again.created_by) == ("queued", people[1])


@pytest.fixture
def kept(claimed, settings, tmp_path) -> TrainingRun:
    """A run that has a checkpoint."""
    settings.DATA_DIR = tmp_path
    claimed.shared_checkpoint.path.mkdir(parents=True)
    (claimed.shared_checkpoint.path / "001.safetensors").write_bytes(b"weights")
    return claimed


def test_an_interrupted_run_keeps_its_checkpoint_and_its_progress(kept):
    TrainingRun.objects.filter(pk=kept.pk).update(progress=0.4)
    assert leases.release_run(kept)
    assert leases.expire_lost_runs() == []
    assert kept.shared_checkpoint.path.exists()
    again = leases.claim_run(kept.pk, 2, "here")
    assert again.progress == 0.4
    assert (
        again.events.filter(kind="state").order_by("seq").last().text
        == "Training resumed from its last checkpoint."
    )


@pytest.mark.parametrize("way", ["fail", "stop"])
def test_a_run_that_is_over_leaves_no_checkpoint(kept, way):
    kept.mark_failed("Broken.") if way == "fail" else kept.mark_cancelled()
    assert not kept.shared_checkpoint.path.exists()


def test_what_a_lost_worker_left_behind_is_swept(kept):
    TrainingRun.objects.filter(pk=kept.pk).delete()
    leases.expire_lost_runs()
    assert not kept.shared_checkpoint.path.exists()


def test_finishing_now_is_asked_once_and_only_of_a_running_training(claimed, ask):
    waiting = ask()
    waiting.finish_early()
    assert not TrainingRun.objects.get(pk=waiting.pk).finish_requested
    assert not claimed.is_finish_requested()
    claimed.finish_early()
    claimed.finish_early()
    assert claimed.is_finish_requested()
    assert claimed.events.filter(text="Early finish requested.").count() == 1
