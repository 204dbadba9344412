"""A command in a child process: start it, watch it, end it. It knows no training run."""

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

from training.exit_reasons import ExitReason, explain_exit
from training.limits import count_oom_kills

POLL_SECONDS = 1.0  # seconds between two looks at whether it may go on
GRACE_SECONDS = 3.0  # seconds for a child that has nothing more to do


class ChildProcess:
    """`manage.py` with a command, in its own session; it dies with this process, and when `with` ends."""

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
        """Until the child has ended by itself (True), or may not go on (False)."""
        while True:
            try:
                self.process.wait(POLL_SECONDS)
                return True
            except subprocess.TimeoutExpired:
                if not may_continue():
                    return False

    def let_finish(self) -> None:
        """A short while for a child that has most likely just finished."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(GRACE_SECONDS)

    def kill(self) -> None:
        """Kills the child if it still lives and collects it."""
        self.process.kill()
        self.process.wait()

    def exit_reason(self) -> ExitReason:
        """What its end means, in one sentence."""
        starved = count_oom_kills() != self.oom_kills_before
        limit = settings.TRAINING_MEMORY_MB
        return explain_exit(self.process.returncode, self.last_lines(), limit, had_oom_kill=starved)

    def last_lines(self) -> str:
        """The last that the child wrote on stderr."""
        size = self.stderr.seek(0, os.SEEK_END)
        self.stderr.seek(max(0, size - 2000))
        return self.stderr.read().decode(errors="replace")
