"""Locks that are waited for."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from forecastsite.management.commands import migrate
from registry.lib import locks
from registry.lib.locks import LockUnavailable, exclusive_lock, file_lock, wait_for_lock

pytestmark = pytest.mark.django_db


def hold(path: Path, seconds: float, is_held) -> None:
    """Another process that holds the lock for a while."""
    with file_lock(path):
        is_held.set()
        time.sleep(seconds)


@pytest.fixture
def other(settings):
    """Starts a process that holds a lock for some seconds, and returns once it does."""
    started = []

    def start(name: str, seconds: float) -> None:
        context = multiprocessing.get_context("fork")
        is_held = context.Event()
        started.append(
            context.Process(target=hold, args=(settings.DATA_DIR / f"{name}.lock", seconds, is_held))
        )
        started[-1].start()
        assert is_held.wait(20)

    yield start
    for process in started:
        process.kill()
        process.join()


def test_whoever_waits_says_so_once_and_goes_on_afterwards(other, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_STEP_SECONDS", 0.05)
    said = []
    other("shared", 0.4)
    wanted = wait_for_lock("shared", 20, lambda: said.append("waiting"))
    with wanted, pytest.raises(LockUnavailable), exclusive_lock("shared"):
        pass
    assert said == ["waiting"]
    with wait_for_lock("shared", 0, lambda: said.append("waiting")):
        pass
    assert said == ["waiting"]


def test_nobody_waits_for_ever(other, monkeypatch):
    monkeypatch.setattr(locks, "WAIT_STEP_SECONDS", 0.05)
    other("shared", 60)
    with pytest.raises(LockUnavailable), wait_for_lock("shared", 0.2, lambda: None):
        pass


def test_a_database_is_migrated_by_one_at_a_time(other, monkeypatch, capsys):
    monkeypatch.setattr(migrate, "MAX_WAIT_SECONDS", 0.0)
    other("migrate", 60)
    with pytest.raises(CommandError, match="has been migrating the database for ten minutes"):
        call_command("migrate", verbosity=0)


def test_the_next_one_finds_nothing_left_to_migrate(other, capsys):
    other("migrate", 0.5)
    call_command("migrate", verbosity=1)
    said = capsys.readouterr()
    assert "waiting for it" in said.err
    assert "No migrations to apply" in said.out
