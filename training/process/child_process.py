"""A management command in a child process: start it, watch it, end it. Knows no training run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from django.conf import settings

from training.process.exit_reasons import ExitReason, explain_exit
from training.process.limits import count_oom_kills

POLL_SECONDS = 1.0  # seconds between two checks whether the child may continue
GRACE_SECONDS = 3.0  # seconds for a child that has no work left


class ChildProcess:
    """`manage.py` with a command, in its own session. It dies with this process or at the end of `with`."""

    def __init__(self, *command: str) -> None:
        self.oom_kills_before = count_oom_kills()
        self.stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command, "--parent", str(os.getpid())],
            cwd=settings.BASE_DIR,
            env={
                **os.environ,
                "OMP_NUM_THREADS": str(settings.TRAINING_THREADS),
                "OMP_WAIT_POLICY": "PASSIVE",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.stderr,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.kill()
        self.stderr.close()

    def wait(self, may_continue: Callable[[], bool]) -> bool:
        """Waits for the end of the child (True), or until it may not continue (False)."""
        while True:
            try:
                self.process.wait(POLL_SECONDS)
                return True
            except subprocess.TimeoutExpired:
                if not may_continue():
                    return False

    def has_failed(self) -> bool:
        """Whether the child has ended with an error."""
        return bool(self.process.poll())

    def let_finish(self) -> None:
        """Gives a child that has most likely finished a moment to exit."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)

    def kill(self) -> None:
        """Kills the child if it is alive, and collects it."""
        self.process.kill()
        self.process.wait()

    def exit_reason(self) -> ExitReason:
        """Why the child ended."""
        had_oom_kill = count_oom_kills() != self.oom_kills_before
        limit = settings.TRAINING_MEMORY_MB
        return explain_exit(self.process.returncode, self.last_lines(), limit, had_oom_kill=had_oom_kill)

    def last_lines(self) -> str:
        """The end of what the child wrote to stderr."""
        size = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, size - 2000))
        return self.stderr.read().decode(errors="replace")


class ChildGroup:
    """Children that do one work together, the first of which leads; when one fails, all must end."""

    def __init__(self, count: int, *command: str, has_leader: bool = True) -> None:
        commands = [[*command, *(["--join"] if number or not has_leader else [])] for number in range(count)]
        self.children = [ChildProcess(*words) for words in commands]

    @property
    def leader(self) -> ChildProcess:
        """The first child."""
        return self.children[0]

    @property
    def first_to_fail(self) -> ChildProcess:
        """The child whose end explains that of the others: one that was killed, if any was."""
        ended = [child for child in self.children if child.process.poll() is not None]
        return min(ended, key=lambda child: child.process.returncode)

    def wait(self, may_continue: Callable[[], bool]) -> bool:
        """Waits for the leader to end or another to fail (True), or until they may not continue (False)."""
        others = self.children[1:]

        def has_lost_one() -> bool:
            return any(child.has_failed() for child in others)

        return self.leader.wait(lambda: may_continue() and not has_lost_one()) or has_lost_one()

    def kill(self) -> None:
        """Kills those that are alive, and collects them."""
        for child in self.children:
            child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for child in self.children:
            child.__exit__(kind, error, at)
