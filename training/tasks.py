"""Jobs of the training queue.

The numeric work runs in a child process: killed, out of memory or crashed, it ends as a return code. The
dotted names of `run_training`, `join_training` and `write_to_owner` are stored in queue rows of running
installations.
"""

from __future__ import annotations

import logging
import os
import socket
from contextlib import suppress

from django.conf import settings
from django.core.mail import send_mail
from django.db import Error as DatabaseError
from django.urls import reverse
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from training import leases
from training.models import QUEUE_NAME, TrainingRun
from training.process.child_process import ChildGroup, ChildProcess
from training.process.exit_reasons import (
    DISK_FULL_TEXT,
    UNEXPLAINED_TEXTS,
    WORKER_INTERRUPTED_TEXT,
    is_disk_full,
)

logger = logging.getLogger(__name__)


def run_training(run_id: str) -> None:
    """Queue job: claims the next run and trains it in a child process; does nothing if there is none."""
    if leases.is_draining():
        return  # the job is lost, but the run gets another at the next start
    run = leases.claim_next(run_id, os.getpid(), socket.gethostname())
    if run is not None:
        supervise_run(run)


def supervise_run(run: TrainingRun) -> None:
    """Trains the run in a child process; leaves no running row behind, whatever happens."""
    try:
        with ChildGroup(run.processes, "run_training", str(run.pk), str(run.attempt_token)) as children:
            leases.record_pid(run, children.leader.process.pid)
            invite_hosts(run)
            if children.wait(leases.Heartbeat(run).may_continue):
                record_exit(run, children.first_to_fail)
            elif run.cancel_requested:
                children.kill()
                run.mark_cancelled()
            else:
                children.leader.let_finish()
    except BaseException as error:  # also the timeout of the queue, which raises SystemExit
        if is_disk_full(error):
            fail_on_full_disk(run)
            return
        run.mark_failed(WORKER_INTERRUPTED_TEXT, {"error": type(error).__name__})
        raise


def invite_hosts(run: TrainingRun) -> None:
    """Queues jobs for the further hosts that are to learn with this one; those too many do nothing.

    This host may take some although its workers are busy: the queue hands out that many in advance.
    """
    token, seconds = str(run.attempt_token), run.budget + 3600
    in_advance = settings.TRAINING_WORKERS + 1
    for _number in range(run.hosts - 1 + in_advance if run.hosts > 1 else 0):
        async_task("training.tasks.join_training", str(run.pk), token, cluster=QUEUE_NAME, timeout=seconds)


def join_training(run_id: str, token: str) -> None:
    """Queue job: learns with the host that leads this attempt, until it ends."""
    run = leases.find_owned(run_id, token)
    if run is None or leases.is_draining():
        return
    with ChildGroup(run.processes, "run_training", run_id, token, has_leader=False) as children:
        children.wait(lambda: leases.find_owned(run_id, token) is not None)


def record_exit(run: TrainingRun, child: ChildProcess) -> None:
    """Retries or fails the run after its child has died; does nothing if the child ended the run itself."""
    reason = child.exit_reason()
    if not leases.handle_crash(run, reason):
        return
    details = [f"Exit code {child.process.returncode}.", child.last_lines()]
    details = details if reason.text in UNEXPLAINED_TEXTS else []
    logger.warning("%s", "\n".join([f"Training {run.pk} ended: {reason}", *filter(None, details)]))


def fail_on_full_disk(run: TrainingRun) -> None:
    """Fails the run if the database can still be written, and logs one line; else its lease expires."""
    logger.warning("Training %s ended: %s", run.pk, DISK_FULL_TEXT)
    with suppress(DatabaseError):
        run.mark_failed(DISK_FULL_TEXT)


def write_to_owner(run_id: str) -> None:
    """Queue job: e-mails the owner of a run how it ended."""
    run = TrainingRun.objects.filter(pk=run_id).select_related("created_by", "version").first()
    if run is None or run.created_by is None or not run.created_by.email:
        return
    message = {"done": _("Training done: %(what)s"), "failed": _("Training failed: %(what)s")}.get(run.state)
    if message:
        subject = message % {"what": f"{run.algorithm}, {run.dataset_version}, {run.scope}"}
        lines = [subject, run.error_text, settings.SITE_URL + reverse("run", args=[run.pk])]
        send_mail(subject, "\n\n".join(filter(None, lines)), None, [run.created_by.email])
