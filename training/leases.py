"""Leases of running trainings: claim, heartbeat, release, expiry, and what to do with runs whose worker died.

Every step is one conditional UPDATE, so each is safe to call from several hosts at once.
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

from training.events import RunEvent
from training.exit_reasons import ExitReason
from training.models import CHECKPOINT_FOLDER, LEASE_DURATION, QUEUE_NAME, TrainingRun
from training.queue import lock_user, may_start, waiting_order

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0  # seconds between two heartbeats
REQUEUE_LOST_AFTER = timedelta(seconds=30)  # a waiting run without a queue row is queued again after this


def claim_next(run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
    """What a worker does with a job: it claims the run whose turn it is, not the one the job names.

    There is one job for each waiting run, so every run gets its turn. None = nothing to do.
    """
    for run in waiting_order():
        with transaction.atomic():
            lock_user(run.created_by_id)
            claimed = claim_run(run.pk, pid, host) if may_start(run) else None
        if claimed is not None:
            return claimed
    silent = TrainingRun.objects.filter(pk=run_id, lease_until__lt=Now()).exists()
    return claim_run(run_id, pid, host) if silent else None


def claim_run(run_id: uuid.UUID | str, pid: int, host: str) -> TrainingRun | None:
    """Takes a waiting run, or one whose worker is silent; None when there is nothing to take.

    This one conditional UPDATE makes a job that is delivered twice harmless. The attempt is counted
    here, at the start, so a job that kills its worker cannot come back for ever.
    """
    run = TrainingRun.objects.filter(pk=run_id, attempt__lt=TrainingRun.MAX_ATTEMPTS).first()
    if run is None:
        return None
    state = TrainingRun.State
    free = Q(state=state.QUEUED) | Q(state=state.RUNNING, lease_until__lt=Now())
    owner = {"attempt_token": uuid.uuid4(), "pid": pid, "host": host}
    life = {"heartbeat_at": Now(), "lease_until": Now() + LEASE_DURATION, "started_at": Now()}
    where = free & Q(attempt=run.attempt, cancel_requested=False)
    before = run.attempt_token
    events = [start_event(run)]
    if not run.transition(where, events, state=state.RUNNING, attempt=F("attempt") + 1, **owner, **life):
        return None
    run.delete_pending_version(before)
    return run


def start_event(run: TrainingRun) -> RunEvent:
    """The event of a new attempt."""
    if any(run.checkpoint_folder.glob("*")):
        text = gettext_noop("The training goes on where it was interrupted.")
    elif run.attempt:
        text = gettext_noop("The training starts again.")
    else:
        text = gettext_noop("The training starts.")
    return run.build_state_event(run.State.RUNNING, text)


def find_owned(run_id: uuid.UUID | str, token: uuid.UUID | str) -> TrainingRun | None:
    """The run, if this attempt still owns it."""
    runs = TrainingRun.objects.filter(pk=run_id, attempt_token=token)
    return runs.filter(state=TrainingRun.State.RUNNING).first()


def renew_lease(run: TrainingRun) -> bool:
    """Extends the lease and reads the stop flag; False when another attempt owns the run now."""
    owned = TrainingRun.objects.filter(run.owned_by_this_attempt, pk=run.pk)
    extended = owned.update(heartbeat_at=Now(), lease_until=Now() + LEASE_DURATION)
    return bool(extended) and read_stop_flag(run)


def read_stop_flag(run: TrainingRun) -> bool:
    """Refreshes `cancel_requested`; False when another attempt owns the run now."""
    owned = TrainingRun.objects.filter(run.owned_by_this_attempt, pk=run.pk)
    flag = owned.values_list("cancel_requested", flat=True).first()
    run.cancel_requested = bool(flag)
    return flag is not None


class Heartbeat:
    """Beats for a run whose child is learning."""

    def __init__(self, run: TrainingRun) -> None:
        self.run, self.last_renewal = run, time.monotonic()

    def may_continue(self) -> bool:
        """Beats when it is due. The child must end when the run is lost or stopped, or when no beat got
        through until the lease ends."""
        now = time.monotonic()
        due = now - self.last_renewal >= HEARTBEAT_SECONDS
        try:
            owned = renew_lease(self.run) if due else read_stop_flag(self.run)
        except DatabaseError:
            logger.warning("The database does not answer; training %s cannot send a heartbeat.", self.run.pk)
            return now - self.last_renewal < LEASE_DURATION.total_seconds() - HEARTBEAT_SECONDS
        if due:
            self.last_renewal = now
        return owned and not self.run.cancel_requested


def record_pid(run: TrainingRun, pid: int) -> bool:
    """Notes the process that learns; False when another attempt owns the run now."""
    return run.transition(run.owned_by_this_attempt, [], pid=pid)


def handle_crash(run: TrainingRun, reason: ExitReason) -> bool:
    """This attempt's process is gone: tries again at once while that may help, else fails."""
    if run.cancel_requested:
        return run.mark_cancelled()
    if reason.can_retry and run.attempt < run.MAX_ATTEMPTS:
        text = gettext_noop("It is tried once more, from what it has kept.")
        why = RunEvent(kind=RunEvent.Kind.LOG, level="warning", text=reason.text)
        return run.requeue(run.owned_by_this_attempt, text, [why])
    return run.mark_failed(reason.text)


def release_run(run: TrainingRun) -> bool:
    """Back to the queue because the server stops in good order; the attempt does not count."""
    if run.cancel_requested:
        return run.mark_cancelled()
    text = gettext_noop("The server was stopped; the training goes on with it.")
    return run.requeue(run.owned_by_this_attempt, text, attempt=F("attempt") - 1)


def expire_run(run: TrainingRun) -> bool:
    """The lease is over: try again while attempts are left, else fail. False when it beat after all."""
    over = run.owned_by_this_attempt & (Q(lease_until__lt=Now()) | Q(lease_until__isnull=True))
    if run.cancel_requested:
        return run.end_in_state(over, run.State.CANCELLED)
    if run.attempt < run.MAX_ATTEMPTS:
        return run.requeue(over, gettext_noop("The worker was lost; the training waits for another."))
    reason = gettext_noop(
        "The training lost its worker twice. Look at the server's log, then start it again."
    )
    return run.end_in_state(over, run.State.FAILED, reason)


def expire_lost_runs() -> list[TrainingRun]:
    """Runs whose worker is silent are queued again or failed."""
    silent = Q(lease_until__lt=Now()) | Q(lease_until__isnull=True)
    running = TrainingRun.objects.filter(silent, state=TrainingRun.State.RUNNING)
    delete_orphan_checkpoints()
    return [run for run in running if expire_run(run)]


def delete_orphan_checkpoints() -> None:
    """Checkpoints of runs that are over or gone, left by a worker that was lost, go."""
    folders = {
        folder.name: folder for folder in (Path(settings.DATA_DIR) / CHECKPOINT_FOLDER).glob("*-*-*-*-*")
    }
    if folders:
        state = TrainingRun.State
        going = TrainingRun.objects.filter(state__in=[state.QUEUED, state.RUNNING])
        for name in folders.keys() - {str(pk) for pk in going.values_list("pk", flat=True)}:
            shutil.rmtree(folders[name], ignore_errors=True)


def requeue_lost_runs() -> list[TrainingRun]:
    """As many jobs as runs wait that may start: a job that was taken may be a dead worker's."""
    waiting = TrainingRun.objects.filter(
        state=TrainingRun.State.QUEUED, created_at__lt=Now() - REQUEUE_LOST_AFTER
    )
    startable = [run for run in waiting if may_start(run)]
    free = OrmQ.objects.filter(key=QUEUE_NAME, lock__lte=timezone.now()).count() if startable else 0
    for run in startable[free:]:
        run.push_job()
    return startable[free:]


def is_stalled() -> bool:
    """Runs wait although none is running: nobody takes jobs from the queue."""
    runs, state = TrainingRun.objects, TrainingRun.State
    return runs.filter(state=state.QUEUED).exists() and not runs.filter(state=state.RUNNING).exists()


def unlock_queue() -> None:
    """Jobs that a dead worker had taken may be taken again at once, not after the queue's `retry`."""
    OrmQ.objects.filter(key=QUEUE_NAME).update(lock=timezone.now())


def drain_marker_path() -> Path:
    """The file that tells this machine's workers to begin nothing new."""
    return Path(settings.DATA_DIR) / "draining"


def set_draining(draining: bool) -> None:
    """From now on the workers of this machine begin nothing new, or do again."""
    if draining:
        drain_marker_path().touch()
    else:
        drain_marker_path().unlink(missing_ok=True)


def is_draining() -> bool:
    """Whether this machine's workers begin nothing new."""
    return drain_marker_path().exists()
