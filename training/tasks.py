"""What the queue runs: a thin dispatcher that starts a child process and supervises it.

The numeric work is in the child: killed, out of memory or crashed, it comes back as a return code.
The dotted names of `run_training` and `write_to_owner` stand in queue rows of running installations.
"""

from __future__ import annotations

import logging
import os
import socket

from django.conf import settings
from django.core.mail import send_mail
from django.urls import reverse
from django.utils.translation import gettext as _

from registry.lib.messages import translate_message
from training import leases
from training.child_process import ChildProcess
from training.models import TrainingRun

logger = logging.getLogger(__name__)


def run_training(run_id: str) -> None:
    """Queue job: takes the run whose turn it is and trains it in a child; does nothing when none is."""
    if leases.is_draining():
        return  # the job is lost, the run is not: it gets another at the next start
    run = leases.claim_next(run_id, os.getpid(), socket.gethostname())
    if run is not None:
        supervise_run(run)


def supervise_run(run: TrainingRun) -> None:
    """Starts the child, beats while it lives, and leaves no running row behind, whatever happens."""
    try:
        with ChildProcess("run_training", str(run.pk), str(run.attempt_token)) as child:
            leases.record_pid(run, child.process.pid)
            if child.wait(leases.Heartbeat(run).may_continue):
                record_exit(run, child)
            elif run.cancel_requested:
                child.kill()
                run.mark_cancelled()
            else:
                child.let_finish()
    except BaseException as error:  # also the queue's own timeout, which is a SystemExit
        run.mark_failed(
            f"The training was broken off by its worker ({type(error).__name__}). Start it again."
        )
        raise


def record_exit(run: TrainingRun, child: ChildProcess) -> None:
    """Writes down how the child ended; changes nothing when it has ended the run itself."""
    if leases.handle_crash(run, child.exit_reason()):
        logger.warning("Training %s ended with %s: %s", run.pk, child.process.returncode, child.last_lines())


def write_to_owner(run_id: str) -> None:
    """Queue job: tells by e-mail how a training ended."""
    run = TrainingRun.objects.filter(pk=run_id).select_related("created_by", "version").first()
    if run is None or run.created_by is None or not run.created_by.email:
        return
    word = {"done": _("Training done: %(what)s"), "failed": _("Training failed: %(what)s")}.get(run.state)
    if word:
        subject = word % {"what": f"{run.algorithm}, {run.dataset_version}, {run.scope}"}
        lines = [subject, translate_message(run.error), settings.SITE_URL + reverse("run", args=[run.pk])]
        send_mail(subject, "\n\n".join(filter(None, lines)), None, [run.created_by.email])
