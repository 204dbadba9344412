"""The worker looks after its child: whatever becomes of it, no running row stays behind."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import OperationalError
from django_q.exceptions import TimeoutException

from registry.labels import event_text
from training import leases, tasks
from training.models import TrainingRun
from training.process import child_process
from training.process.exit_reasons import (
    CRASHED_TEXT,
    DISK_FULL_TEXT,
    KILLED_TEXT,
    MACHINE_MEMORY_CAUSE,
    MEMORY_LIMIT_TEXT,
    NO_RESULT_TEXT,
    PROGRAM_ERROR_TEXT,
    ExitReason,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def child(monkeypatch):
    """Puts a small Python program in place of the child."""
    monkeypatch.setattr(child_process, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(child_process, "GRACE_SECONDS", 0.05)
    children = []
    popen = subprocess.Popen

    def use(program: str) -> list[subprocess.Popen]:
        def start(command, **options):
            children.append(popen([sys.executable, "-c", program], **options))
            return children[-1]

        monkeypatch.setattr(child_process.subprocess, "Popen", start)
        return children

    return use


LIMIT = MEMORY_LIMIT_TEXT.format(limit=f"{settings.TRAINING_MEMORY_MB / 1000:g}")


def attempts(run: TrainingRun, most: int) -> TrainingRun:
    """What becomes of the run when its job comes so often."""
    for _number in range(most):
        tasks.run_training(str(run.pk))
    run.refresh_from_db()
    return run


@pytest.mark.parametrize(
    ("program", "sentence"), [("raise KeyError(3)", PROGRAM_ERROR_TEXT), ("pass", NO_RESULT_TEXT)]
)
def test_an_error_of_the_program_fails_the_run_at_once(ask, child, program, sentence):
    children = child(program)
    run = attempts(ask(), 3)
    assert (run.state, run.error, run.pid, len(children)) == ("failed", sentence, None, 1)


@pytest.mark.parametrize(
    ("program", "sentence"),
    [
        ("import os; os.kill(os.getpid(), 9)", KILLED_TEXT),
        ("import os; os.abort()", CRASHED_TEXT),
        ("raise MemoryError", LIMIT),
    ],
)
def test_a_killed_child_is_tried_once_more_then_the_run_fails_with_the_reason(ask, child, program, sentence):
    children = child(program)
    run = attempts(ask(), 1)
    assert (run.state, run.error, run.pid, run.attempt) == ("queued", "", None, 1)
    told = [(line.level, event_text(line)) for line in run.events.order_by("-seq")[:2]]
    cause = sentence.split(":")[0].split(".")[0] + "."  # without advice: nobody has to do anything
    assert told == [("info", "Retrying from the last checkpoint."), ("warning", cause)]
    run = attempts(run, 3)
    assert (run.state, run.error_text, run.attempt, len(children)) == ("failed", sentence, 2, 2)


def test_a_kill_while_linux_was_short_of_memory_is_told_as_that(ask, child, monkeypatch):
    child("import os; os.kill(os.getpid(), 9)")
    counts = iter([4, 5, 5, 5])
    monkeypatch.setattr(child_process, "count_oom_kills", lambda: next(counts))
    run = attempts(ask(), 1)
    assert run.events.get(level="warning").text == MACHINE_MEMORY_CAUSE
    assert attempts(run, 1).error == KILLED_TEXT


def test_a_killed_run_that_somebody_wants_stopped_is_stopped(claimed):
    claimed.cancel()
    assert leases.renew_lease(claimed)
    leases.handle_crash(claimed, ExitReason(KILLED_TEXT, can_retry=True))
    assert claimed.state == "cancelled"


def test_a_job_delivered_twice_starts_one_child(ask, child):
    children = child("pass")
    run = ask()
    leases.claim_run(run.pk, 1, "elsewhere")
    tasks.run_training(str(run.pk))
    assert children == []


def test_a_stop_takes_effect_within_seconds(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")
    run = ask()
    read_stop_flag = leases.read_stop_flag

    def stop_then_read(row):
        TrainingRun.objects.get(pk=run.pk).cancel()
        return read_stop_flag(row)

    monkeypatch.setattr(leases, "read_stop_flag", stop_then_read)
    begun = time.monotonic()
    tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert time.monotonic() - begun < 5
    assert children[0].returncode == -9


def test_a_worker_that_lost_the_run_kills_its_child_and_is_silent(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")
    run = ask()
    monkeypatch.setattr(leases, "read_stop_flag", lambda row: False)
    tasks.run_training(str(run.pk))
    assert children[0].returncode == -9


def test_the_queues_own_timeout_leaves_no_running_row(ask, child, monkeypatch):
    children = child("import time; time.sleep(60)")

    def timeout(run):
        raise TimeoutException("Task exceeded maximum timeout value")

    monkeypatch.setattr(leases, "read_stop_flag", timeout)
    run = ask()
    with pytest.raises(TimeoutException):
        tasks.run_training(str(run.pk))
    run.refresh_from_db()
    assert run.state == "failed"
    assert "worker interrupted the training (TimeoutException)" in run.error_text
    assert children[0].returncode == -9


def test_a_worker_without_a_database_gives_up_before_the_lease_ends(claimed, monkeypatch):
    def gone(row):
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(leases, "read_stop_flag", gone)
    monkeypatch.setattr(leases, "renew_lease", gone)
    heartbeat = leases.Heartbeat(claimed)
    heartbeat.last_renewal = time.monotonic() - 10
    assert heartbeat.may_continue()
    heartbeat.last_renewal = time.monotonic() - 26
    assert not heartbeat.may_continue()


def test_a_full_disk_is_one_line_in_the_log(child, caplog, ask):
    program = "import sys; sys.exit('Traceback\\n  ...\\nOperationalError: database or disk is full')"
    child(program)
    run = attempts(ask(), 1)
    assert run.error_text == DISK_FULL_TEXT
    assert [record.getMessage() for record in caplog.records] == [
        f"Training {run.pk} ended: {DISK_FULL_TEXT}"
    ]


def test_a_worker_that_meets_a_full_disk_says_so_in_one_line(ask, caplog, monkeypatch):
    def start(*_given):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(tasks, "ChildGroup", start)
    run = attempts(ask(), 1)
    assert run.error_text == DISK_FULL_TEXT
    assert [record.getMessage() for record in caplog.records] == [
        f"Training {run.pk} ended: {DISK_FULL_TEXT}"
    ]


def test_a_disk_that_is_too_full_to_say_so_leaves_the_run_to_its_lease(ask, caplog, monkeypatch):
    def full(*_given):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(tasks, "ChildGroup", full)
    monkeypatch.setattr(TrainingRun, "mark_failed", full)
    run = attempts(ask(), 1)
    assert run.state == "running"
    assert len(caplog.records) == 1 and caplog.records[0].exc_info is None


def test_a_program_error_keeps_its_trace_in_the_log(ask, child, caplog):
    child("{}['x']")
    attempts(ask(), 1)
    (record,) = caplog.records
    assert PROGRAM_ERROR_TEXT in record.getMessage() and "KeyError" in record.getMessage()
