"""One process group of `up`: start, restart, and an end that leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil
from django.conf import settings

from forecastsite.server.host_status import FAILING, READY, STARTING

GRACE_SECONDS = 5.0  # seconds for a clean stop before processes are killed
MAX_PAUSE_SECONDS = 10.0  # longest pause before a process that dies at once is restarted
MANY_EARLY_DEATHS = 3
QUEUE_PROCESSES = 3  # of a queue with one worker


class ProcessGroup:
    """A child process and everything it starts, in a separate process group."""

    def __init__(self, name: str, *arguments: str, **environment: str) -> None:
        self.name, self.arguments, self.environment = name, arguments, environment
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = self.not_before = 0.0
        self.early_deaths = 0
        self.is_ready = False  # it does its work: set by the supervisor

    def start(self) -> int:
        """Starts the process and returns its pid."""
        words = [
            sys.executable,
            "-m",
            "forecastsite.server.process",
            str(os.getpid()),
            self.name,
            *self.arguments,
        ]
        environment = {**os.environ, **self.environment}
        self.process = subprocess.Popen(
            words, cwd=settings.BASE_DIR, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
        )
        self.started_at = time.monotonic()
        return self.process.pid

    @property
    def state(self) -> str:
        """READY, STARTING, or FAILING when it has died several times before it did any work."""
        if self.is_ready:
            return READY
        return FAILING if self.early_deaths >= MANY_EARLY_DEATHS else STARTING

    @property
    def is_dead(self) -> bool:
        """Whether the process was started and has ended."""
        return self.process is not None and self.process.poll() is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to start the process."""
        return self.process is None and time.monotonic() >= self.not_before

    def list_descendants(self) -> list[psutil.Process]:
        """All descendants of the process, including those in other sessions."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True) if self.process else []
        except psutil.NoSuchProcess:
            return []

    def list_running_pids(self) -> list[int]:
        """Pids of the descendants that are neither stopped (SIGSTOP) nor dead."""
        found = []
        for member in self.list_descendants():
            with suppress(psutil.NoSuchProcess):
                if member.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
                    found.append(member.pid)
        return found

    def has_queue_workers(self) -> bool:
        """Whether the sentinel of a queue has started all that takes jobs: worker, monitor and pusher."""
        try:
            sentinels = psutil.Process(self.process.pid).children() if self.process else []
            return any(len(sentinel.children()) >= QUEUE_PROCESSES for sentinel in sentinels)
        except psutil.NoSuchProcess:
            return False

    def kill(self) -> None:
        """Kills the whole group and waits until it has ended."""
        self.is_ready = False
        if self.process is None:
            return
        family = self.list_descendants()
        signal_all([self.process.pid], os.killpg, signal.SIGKILL)
        signal_all([member.pid for member in family if member.is_running()], os.kill, signal.SIGKILL)
        self.process.wait()
        psutil.wait_procs(family, timeout=GRACE_SECONDS)
        self.process = None

    def schedule_restart(self) -> float:
        """Returns the pause before the next start, doubled each time the process dies early."""
        young = time.monotonic() - self.started_at < MAX_PAUSE_SECONDS
        self.early_deaths = self.early_deaths + 1 if young else 1
        pause: float = min(MAX_PAUSE_SECONDS, 0.25 * 2.0**self.early_deaths)
        self.not_before = time.monotonic() + pause
        return pause

    def request_stop(self) -> None:
        """Sends SIGTERM."""
        if self.process is not None:
            self.process.terminate()

    def wait(self, seconds: float) -> None:
        """Waits for the group to stop, then kills whatever is left of it."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(max(0.0, seconds))
            self.kill()


def signal_all(pids: Iterable[int], send: Callable[[int, int], None], number: int) -> None:
    """Sends the signal to those that still exist."""
    for pid in pids:
        with suppress(ProcessLookupError):
            send(pid, number)
