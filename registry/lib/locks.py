"""Locks for work that only one process may do at a time; they end with the process, even if it is killed."""

from __future__ import annotations

import fcntl
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

WAIT_STEP_SECONDS = 0.5  # between two attempts to get a lock


class LockUnavailable(Exception):
    """Another process holds the lock. The text is one sentence for the user."""

    def __init__(self) -> None:
        super().__init__(
            _("Another clean-up, archiving or backup is running: try again when it has finished.")
        )


@contextmanager
def exclusive_lock(name: str) -> Iterator[None]:
    """Holds a lock across hosts with PostgreSQL, else on this machine; raises LockUnavailable."""
    with (
        database_lock(name)
        if connection.vendor == "postgresql"
        else file_lock(Path(settings.DATA_DIR) / f"{name}.lock")
    ):
        yield


@contextmanager
def wait_for_lock(name: str, seconds: float, on_wait: Callable[[], None]) -> Iterator[None]:
    """The same, but waits for whoever holds it and calls `on_wait` once; LockUnavailable after `seconds`."""
    deadline, has_told = time.monotonic() + seconds, False
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(exclusive_lock(name))
                break
            except LockUnavailable:
                if time.monotonic() >= deadline:
                    raise
            if not has_told:
                has_told = True
                on_wait()
            time.sleep(WAIT_STEP_SECONDS)
        yield


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Holds a lock on this machine; raises LockUnavailable."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockUnavailable from None
        yield


@contextmanager
def database_lock(name: str) -> Iterator[None]:
    """Holds an advisory lock of PostgreSQL; raises LockUnavailable."""
    number = zlib.crc32(name.encode())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        (taken,) = cursor.fetchone()
    if not taken:
        raise LockUnavailable
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
