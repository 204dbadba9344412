"""The worker looks after its child: whatever becomes of it, no running row stays behind."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from django.db import OperationalError
from django_q.exceptions import TimeoutException

from training import tasks
from training.models import TrainingRun
from training.process import BROKEN, CRASHED, KILLED, NO_MEMORY, SILENT

pytestmark = pytest.mark.django_db


@pytest.fixture
def child(monkeypatch):
    """Puts a small Python program in place of the child."""
    monkeypatch.setattr(tasks, "LOOK", 0.05)
    monkeypatch.setattr(tasks, "LEAVE", 0.05)
    children = []

    def use(program: str) -> list[subprocess.Popen]:
        def start(run, words):
            started = subprocess.Popen([sys.executable, "-c", program], stderr=words, start_new_session=True)
            children.append(started)
            return started

        monkeypatch.setattr(tasks, "start", start)
        return children

    return use


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import os; os.kill(os.getpid(), 9)", KILLED),
        ("import os; os.abort()", CRASHED),
        ("raise MemoryError", NO_MEMORY),
        ("raise KeyError(3)", BROKEN),
        ("pass", SILENT),
    ],
)
def test_a_child_that_ends_badly_fails_the_run_with_a_plain_reason(ask, child, program, sentence):
    child(program)
    run = ask()
    tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error, run.pid) == ("failed", sentence, None)


def test_a_killed_child_is_not_tried_again(ask, child):
    children = child("import os; os.kill(os.getpid(), 9)")
    run = ask()
    tasks.run_training(str(run.pk))
    tasks.run_training(str(run.pk))
    assert len(children) == 1


def test_a_job_delivered_twice_starts_one_child(ask, child):
    children = child("pass")
    run = ask()
    TrainingRun.objects.claim(run.pk, 1, "elsewhere")
    tasks.run_training(str(run.pk))
    assert children == []


def test_a_stop_takes_effect_within_seconds(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")
    run = ask()
    looked = tasks.sign_of_life

    def stop_then_look(row, beaten):
        TrainingRun.objects.get(pk=run.pk).cancel()
        return looked(row, beaten)

    monkeypatch.setattr(tasks, "sign_of_life", stop_then_look)
    begun = time.monotonic()
    tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert time.monotonic() - begun < 5
    assert children[0].returncode == -9


def test_a_worker_that_lost_the_run_kills_its_child_and_is_silent(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")
    run = ask()
    monkeypatch.setattr(TrainingRun, "look", lambda row: False)
    tasks.run_training(str(run.pk))
    assert children[0].returncode == -9


def test_the_queues_own_timeout_leaves_no_running_row(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")

    def timeout(run, beaten):
        raise TimeoutException("Task exceeded maximum timeout value")

    monkeypatch.setattr(tasks, "sign_of_life", timeout)
    run = ask()
    with pytest.raises(TimeoutException):
        tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert run.state == "failed"
    assert "broken off by its worker" in run.error
    assert children[0].returncode == -9


def test_a_worker_without_a_database_gives_up_before_the_lease_ends(claimed, monkeypatch):
    def gone(row):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(TrainingRun, "look", gone)
    monkeypatch.setattr(TrainingRun, "beat", gone)
    now = time.monotonic()
    assert tasks.sign_of_life(claimed, now - 10)[1]
    assert not tasks.sign_of_life(claimed, now - 26)[1]
