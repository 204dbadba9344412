"""What the queue runs: a thin dispatcher that starts a child process and looks after it.

The numeric work is in the child: killed, out of memory or crashed, it comes back as a return code.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.mail import send_mail
from django.db import Error as DatabaseError
from django.urls import reverse
from django.utils.translation import gettext as _

from registry.said import said
from training.models import TrainingRun
from training.process import end_of, killed_for_memory
from training.protocol import BEAT, LEASE

logger = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks at the stop flag
LEAVE = 3.0  # seconds for a child that has nothing more to do


def run_training(run_id: str) -> None:
    """Queue job: takes the run whose turn it is and trains it in a child; does nothing when none is."""
    if drain_mark().exists():
        return  # the job is lost, the run is not: it gets another at the next start
    run = TrainingRun.objects.take(run_id, os.getpid(), socket.gethostname())
    if run is not None:
        look_after(run)


def drain_mark() -> Path:
    """The file that tells this machine's workers to begin nothing new."""
    return Path(settings.DATA_DIR) / "draining"


def draining(yes: bool) -> None:
    """From now on the workers of this machine begin nothing new, or do again."""
    if yes:
        drain_mark().touch()
    else:
        drain_mark().unlink(missing_ok=True)


def write_to_owner(run_id: str) -> None:
    """Queue job: tells by e-mail how a training ended."""
    run = TrainingRun.objects.filter(pk=run_id).select_related("created_by", "version").first()
    if run is None or run.created_by is None or not run.created_by.email:
        return
    word = {"done": _("Training done: %(what)s"), "failed": _("Training failed: %(what)s")}.get(run.state)
    if word:
        subject = word % {"what": f"{run.algorithm}, {run.dataset_version}, {run.scope}"}
        lines = [subject, said(run.error), settings.SITE_URL + reverse("run", args=[run.pk])]
        send_mail(subject, "\n\n".join(filter(None, lines)), None, [run.created_by.email])


def look_after(run: TrainingRun) -> None:
    """Starts the child, beats while it lives, and leaves no running row behind, whatever happens."""
    starved = killed_for_memory()
    with tempfile.TemporaryFile() as words:
        child = start(run, words)
        try:
            run.work_in(child.pid)
            if wait(run, child):
                run.stop()
            else:  # changes nothing when the child has ended the run itself
                limit, counted = settings.TRAINING_MEMORY_MB, killed_for_memory()
                if run.falter(end_of(child.returncode, tail(words), limit, starved=counted != starved)):
                    logger.warning("Training %s ended with %s: %s", run.pk, child.returncode, tail(words))
        except BaseException as error:  # also the queue's own timeout, which is a SystemExit
            end(child)
            run.fail(f"The training was broken off by its worker ({type(error).__name__}). Start it again.")
            raise
        finally:
            end(child)


def start(run: TrainingRun, words: IO[bytes]) -> subprocess.Popen[bytes]:
    """The child process, in a session of its own; it dies with this process."""
    script = str(settings.BASE_DIR / "manage.py")
    names = [str(run.pk), str(run.attempt_token), "--parent", str(os.getpid())]
    threads = str(settings.TRAINING_THREADS)
    return subprocess.Popen(
        [sys.executable, script, "run_training", *names],
        cwd=settings.BASE_DIR,
        env={**os.environ, "OMP_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=words,
        start_new_session=True,
    )


def wait(run: TrainingRun, child: subprocess.Popen[bytes]) -> bool:
    """Until the child has ended. True: it was stopped because somebody asked for it."""
    beaten = time.monotonic()
    while True:
        try:
            child.wait(LOOK)
            return False
        except subprocess.TimeoutExpired:
            beaten, keep = sign_of_life(run, beaten)
        if not keep:
            if not run.cancel_requested:  # most often it has just finished: let it leave by itself
                with suppress(subprocess.TimeoutExpired):
                    child.wait(LEAVE)
            end(child)
            return run.cancel_requested


def sign_of_life(run: TrainingRun, beaten: float) -> tuple[float, bool]:
    """The time of the last good beat, and whether the child may go on.

    It may not when the run is lost or stopped, nor when no beat got through until the lease ends.
    """
    now = time.monotonic()
    due = now - beaten >= BEAT
    try:
        mine = run.beat() if due else run.look()
    except DatabaseError:
        logger.warning("The database does not answer; training %s cannot show a sign of life.", run.pk)
        return beaten, now - beaten < LEASE.total_seconds() - BEAT
    return (now if due else beaten), mine and not run.cancel_requested


def end(child: subprocess.Popen[bytes]) -> None:
    """Kills the child if it still lives and collects it."""
    child.kill()
    child.wait()


def tail(words: IO[bytes]) -> str:
    """The last words the child said on stderr."""
    size = words.seek(0, os.SEEK_END)
    words.seek(max(0, size - 2000))
    return words.read().decode(errors="replace")
