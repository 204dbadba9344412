"""Leases of running trainings: claim, heartbeat, release and expiry.

Every step is one conditional UPDATE, so it is safe to call from several hosts at once.
"""

from __future__ import annotations

import logging
import shutil
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop
from django_q.models import OrmQ

from registry.lib.leases import HEARTBEAT_SECONDS, LEASE_DURATION, lease_over
from registry.storage.shared_folder import list_abandoned
from training.events import RunEvent
from training.models import CHECKPOINT_FOLDER, QUEUE_NAME, TrainingRun
from training.process.exit_reasons import ExitReason
from training.queue import lock_user, may_start, waiting_order

logger = logging.getLogger(__name__)

FIRST_STEP = "prepare"
MIN_ORPHAN_AGE = timedelta(hours=1)  # of a copy in the store that no active run owns
REQUEUE_LOST_AFTER = timedelta(seconds=30)  # age at which a waiting run without a job gets one


def claim_next(run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
    """Claims the run whose turn it is, which need not be the one that the job names; None = nothing to do.

    There is a job for each waiting run, so every run gets its turn.
    """
    for run in waiting_order():
        with transaction.atomic():
            lock_user(run.created_by_id)
            claimed = claim_run(run.pk, pid, host) if may_start(run) else None
        if claimed is not None:
            return claimed
    expired = TrainingRun.objects.filter(pk=run_id, lease_until__lt=Now()).exists()
    return claim_run(run_id, pid, host) if expired else None


def claim_run(run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
    """Takes a waiting run, or one whose lease has expired; None if somebody else has it.

    One conditional UPDATE, so a job that is delivered twice does no harm. The attempt is counted at the
    start, so a run that kills its worker does not come back for ever.
    """
    run = TrainingRun.objects.filter(pk=run_id, attempt__lt=TrainingRun.MAX_ATTEMPTS).first()
    if run is None:
        return None
    state = TrainingRun.State
    free = Q(state=state.QUEUED) | Q(state=state.RUNNING, lease_until__lt=Now())
    owner = {"attempt_token": uuid.uuid4(), "pid": pid, "host": host, "rendezvous": ""}
    life = {"heartbeat_at": Now(), "lease_until": Now() + LEASE_DURATION, "started_at": Now()}
    where = free & Q(attempt=run.attempt, cancel_requested=False)
    before = run.attempt_token
    events = [start_event(run), reading_event(run)]
    shown = {"state": state.RUNNING, "step": FIRST_STEP, "attempt": F("attempt") + 1}
    if not run.transition(where, events, **shown, **owner, **life):
        return None
    run.delete_pending_version(before)
    return run


def start_event(run: TrainingRun) -> RunEvent:
    """The event that a new attempt begins with."""
    if has_checkpoint(run):
        text = gettext_noop("Training resumed from its last checkpoint.")
    elif run.attempt:
        text = gettext_noop("Training restarted.")
    else:
        text = gettext_noop("Training started.")
    return run.build_state_event(run.State.RUNNING, text)


def has_checkpoint(run: TrainingRun) -> bool:
    """Whether there is something to resume from; not while the store does not answer."""
    try:
        return run.shared_checkpoint.has_files()
    except OSError:
        return False


def reading_event(run: TrainingRun) -> RunEvent:
    """What the process does first, while it has nothing else to tell."""
    text, values = gettext_noop("Reading {rows} rows"), {"rows": run.dataset_version.rows}
    return RunEvent(kind=RunEvent.Kind.LOG, text=text, data=values)


def find_owned(run_id: uuid.UUID | str, token: uuid.UUID | str) -> TrainingRun | None:
    """The run, if this attempt owns it."""
    runs = TrainingRun.objects.filter(pk=run_id, attempt_token=token)
    return runs.filter(state=TrainingRun.State.RUNNING).first()


def renew_lease(run: TrainingRun) -> bool:
    """Extends the lease and refreshes `cancel_requested`; False if this attempt has lost the run."""
    owned = TrainingRun.objects.filter(run.owned_by_this_attempt, pk=run.pk)
    extended = owned.update(heartbeat_at=Now(), lease_until=Now() + LEASE_DURATION)
    return bool(extended) and read_stop_flag(run)


def read_stop_flag(run: TrainingRun) -> bool:
    """Refreshes `cancel_requested`; False if this attempt has lost the run."""
    owned = TrainingRun.objects.filter(run.owned_by_this_attempt, pk=run.pk)
    flag = owned.values_list("cancel_requested", flat=True).first()
    run.cancel_requested = bool(flag)
    return flag is not None


class Heartbeat:
    """Renews the lease of a run while its child process learns."""

    def __init__(self, run: TrainingRun) -> None:
        self.run, self.last_renewal = run, time.monotonic()

    def may_continue(self) -> bool:
        """Renews the lease when due; False if the run is lost or stopped, or the lease is about to end."""
        now = time.monotonic()
        due = now - self.last_renewal >= HEARTBEAT_SECONDS
        try:
            owned = renew_lease(self.run) if due else read_stop_flag(self.run)
        except DatabaseError:
            logger.warning("Database not available; training %s cannot send a heartbeat.", self.run.pk)
            return now - self.last_renewal < LEASE_DURATION.total_seconds() - HEARTBEAT_SECONDS
        if due:
            self.last_renewal = now
        return owned and not self.run.cancel_requested


def record_pid(run: TrainingRun, pid: int) -> bool:
    """Stores the pid of the child process; False if this attempt has lost the run."""
    return run.transition(run.owned_by_this_attempt, [], pid=pid)


def handle_crash(run: TrainingRun, reason: ExitReason) -> bool:
    """After the process of this attempt died: queues a retry if that may help, otherwise fails the run."""
    if run.cancel_requested:
        return run.mark_cancelled()
    if reason.can_retry and run.attempt < run.MAX_ATTEMPTS:
        text = gettext_noop("Retrying from the last checkpoint.")
        cause = reason.cause or reason.text  # no advice: nobody has to do anything
        why = RunEvent(kind=RunEvent.Kind.LOG, level="warning", text=cause, data=reason.values)
        return run.requeue(run.owned_by_this_attempt, text, [why])
    return run.mark_failed(reason.text, reason.values)


def release_run(run: TrainingRun) -> bool:
    """Requeues the run because the server shuts down; the attempt does not count."""
    if run.cancel_requested:
        return run.mark_cancelled()
    text = gettext_noop("The server was stopped. The training will resume when it is back.")
    return run.requeue(run.owned_by_this_attempt, text, attempt=F("attempt") - 1)


def expire_run(run: TrainingRun) -> bool:
    """Requeues or fails a run whose lease has expired; False if the lease was renewed meanwhile."""
    expired = run.owned_by_this_attempt & lease_over()
    if run.cancel_requested:
        return run.end_in_state(expired, run.State.CANCELLED)
    if run.attempt < run.MAX_ATTEMPTS:
        return run.requeue(expired, gettext_noop("The worker was lost. Waiting for another one."))
    reason = gettext_noop("The training lost its worker twice. Check the server log, then start it again.")
    return run.end_in_state(expired, run.State.FAILED, reason)


def expire_lost_runs() -> list[TrainingRun]:
    """Requeues or fails the runs whose lease has expired; returns those that were changed."""
    running = TrainingRun.objects.filter(lease_over(), state=TrainingRun.State.RUNNING)
    delete_orphan_checkpoints()
    return [run for run in running if expire_run(run)]


def delete_orphan_checkpoints() -> None:
    """Deletes checkpoints on this host of runs that have ended or were deleted."""
    folders = {
        folder.name: folder for folder in (Path(settings.DATA_DIR) / CHECKPOINT_FOLDER).glob("*-*-*-*-*")
    }
    if folders:
        state = TrainingRun.State
        active = TrainingRun.objects.filter(state__in=[state.QUEUED, state.RUNNING])
        for name in folders.keys() - {str(pk) for pk in active.values_list("pk", flat=True)}:
            shutil.rmtree(folders[name], ignore_errors=True)


def delete_orphan_copies() -> None:
    """The same in a shared store, where they are left if a host died while it deleted them."""
    state = TrainingRun.State
    active = TrainingRun.objects.filter(state__in=[state.QUEUED, state.RUNNING])
    kept = {str(pk) for pk in active.values_list("pk", flat=True)}
    for folder in list_abandoned(CHECKPOINT_FOLDER, kept, timezone.now() - MIN_ORPHAN_AGE):
        folder.delete()


def requeue_lost_runs() -> list[TrainingRun]:
    """Queues jobs until there is one for each run that may start; returns the runs that got one."""
    waiting = TrainingRun.objects.filter(
        state=TrainingRun.State.QUEUED, created_at__lt=Now() - REQUEUE_LOST_AFTER
    )
    startable = [run for run in waiting if may_start(run)]
    free = OrmQ.objects.filter(key=QUEUE_NAME, lock__lte=timezone.now()).count() if startable else 0
    for run in startable[free:]:  # their jobs may have died with a worker
        run.push_job()
    return startable[free:]


def is_stalled() -> bool:
    """Whether runs wait although none is running."""
    runs, state = TrainingRun.objects, TrainingRun.State
    return runs.filter(state=state.QUEUED).exists() and not runs.filter(state=state.RUNNING).exists()


def unlock_queue() -> None:
    """Makes jobs that a dead worker had taken available at once, not after the queue's `retry`."""
    OrmQ.objects.filter(key=QUEUE_NAME).update(lock=timezone.now())


def drain_marker_path() -> Path:
    """The file that tells this machine's workers to take no new run."""
    return Path(settings.DATA_DIR) / "draining"


def set_draining(draining: bool) -> None:
    """Stops the workers of this machine from taking new runs, or lets them again."""
    if draining:
        drain_marker_path().touch()
    else:
        drain_marker_path().unlink(missing_ok=True)


def is_draining() -> bool:
    """Whether the workers of this machine take no new runs."""
    return drain_marker_path().exists()
