"""Leases of jobs: the right of one process to a row, renewed while it works.

    queued --claim--> running --finish--> done     what it made is whole before the row says so
                         |  \\--fail-----> failed   with one sentence that says why
                         |--lease over--> queued   while attempts are left, otherwise failed

Every transition is one conditional UPDATE; an attempt whose UPDATE matches no row has lost the job.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from django.apps import apps
from django.db import Error as DatabaseError
from django.db import connection, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from registry.lib.errors import MessageError
from registry.lib.messages import translate_message

LEASE_DURATION = timedelta(seconds=30)  # a process without a heartbeat for this long loses its job
HEARTBEAT_SECONDS = 5.0  # seconds between two heartbeats
REQUEUE_LOST_AFTER = timedelta(minutes=1)  # age at which a waiting job gets another row in the queue
GOING = ("queued", "running")  # stages of a job that waits or is worked on
Job = TypeVar("Job", bound="LeasedJob")


def lease_over() -> Q:
    """A condition that holds for a row whose lease nobody renewed in time."""
    return Q(lease_until__lt=Now()) | Q(lease_until=None)


def expire_lost_jobs() -> None:
    """Looks after the jobs of every table with leases."""
    for model in apps.get_models():
        if issubclass(model, LeasedJob):
            rows: Any = model._default_manager  # of LeasedJobQuerySet
            rows.expire_lost()


class Heartbeat:
    """Calls `renew` in a thread until the end of `with`, or until it returns False: the lease is lost."""

    def __init__(self, renew: Callable[[], bool], lost: str = "") -> None:
        self.renew, self.lost = renew, lost
        self.is_lost, self.ended = False, threading.Event()
        self.thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.thread.join()

    def check(self) -> None:
        """Raises MessageError with the sentence `lost` if another process has the lease by now."""
        if self.is_lost:
            raise MessageError(self.lost)

    def _beat(self) -> None:
        while not (self.is_lost or self.ended.wait(HEARTBEAT_SECONDS)):
            with suppress(DatabaseError):  # the lease outlasts a database that is away for a moment
                self.is_lost = not self.renew()
        connection.close()


class LeasedJobQuerySet(models.QuerySet[Job]):
    """Recovers jobs whose process or queue row was lost."""

    def expire_lost(self) -> list[Job]:
        """Requeues or fails jobs whose process died, and queues again those whose queue row was lost."""
        stage = self.model.Stage
        changed = [job for job in self.filter(lease_over(), stage=stage.RUNNING) if job.expire()]
        waiting = self.filter(stage=stage.QUEUED, queued_at__lt=timezone.now() - REQUEUE_LOST_AFTER)
        for job in waiting:
            if self.filter(pk=job.pk, queued_at=job.queued_at).update(queued_at=timezone.now()):
                job.push_job()
        return changed


class LeasedJob(models.Model):
    """Abstract row of a queued job: its stage, its lease, and why it failed."""

    class Stage(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    JOB: ClassVar[str]  # dotted name of the queue's function, which takes the row's id
    QUEUE: ClassVar[str] = "light"
    LOST_TWICE: ClassVar[str]  # why a job failed whose attempts are used up
    MAX_ATTEMPTS: ClassVar[int] = 2

    stage = models.CharField(_("stage"), max_length=10, choices=Stage, default=Stage.QUEUED, db_index=True)
    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    attempt_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True)  # with {places} for error_values
    error_values = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def error_text(self) -> str:
        """Why it failed, in the reader's language."""
        return translate_message(self.error, self.error_values)

    @property
    def is_done(self) -> bool:
        return self.stage == self.Stage.DONE

    @property
    def is_going(self) -> bool:
        """Whether it waits or runs."""
        return self.stage in GOING

    def push_job(self) -> None:
        """Puts its job into its queue, within the caller's transaction."""
        async_task(self.JOB, str(self.pk), cluster=self.QUEUE)

    def queue(self) -> Self:
        """Saves the row and its job in one transaction."""
        with transaction.atomic():
            self.save(force_insert=True)
            self.push_job()
        return self

    def claim(self, is_owner_dead: bool = False) -> bool:
        """Takes a waiting job, or one whose lease is over; `is_owner_dead`: also one with a lease.

        The attempt is counted at the start, so a job that kills its process does not come back for ever.
        """
        running = Q(stage=self.Stage.RUNNING)
        free = Q(stage=self.Stage.QUEUED) | (running if is_owner_dead else running & lease_over())
        life = {"attempt_token": uuid.uuid4(), "lease_until": Now() + LEASE_DURATION, "started_at": Now()}
        return self._change(
            free & Q(attempt=self.attempt, attempt__lt=self.MAX_ATTEMPTS),
            stage=self.Stage.RUNNING,
            attempt=F("attempt") + 1,
            **life,
        )

    def renew_lease(self) -> bool:
        """Extends the lease; False if this attempt has lost the job."""
        owned = type(self)._default_manager.filter(self._owned(), pk=self.pk)
        return bool(owned.update(lease_until=Now() + LEASE_DURATION))

    def finish(self, **outcome: Any) -> bool:
        """Marks the job done with these columns; False if this attempt has lost it."""
        return self._end(self.Stage.DONE, error="", error_values=None, **outcome)

    def mark_failed(self, reason: str, values: Mapping[str, Any] | None = None) -> bool:
        """Ends this attempt's job with one sentence; False if the job is lost."""
        return self._end(self.Stage.FAILED, error=reason, error_values=dict(values or {}))

    def give_up(self) -> None:
        """Fails a job whose attempts are used up; call when no process works on it."""
        open_stages = Q(stage__in=GOING)
        self._change(open_stages, stage=self.Stage.FAILED, finished_at=Now(), error=self.LOST_TWICE)

    def expire(self) -> bool:
        """Requeues or fails a job whose lease is over; False if it was renewed meanwhile."""
        mine = Q(stage=self.Stage.RUNNING, attempt_token=self.attempt_token) & lease_over()
        free: dict[str, Any] = {"attempt_token": None, "lease_until": None}
        if self.attempt >= self.MAX_ATTEMPTS:
            free |= {"finished_at": Now(), "error": self.LOST_TWICE, "error_values": None}
            return self._change(mine, stage=self.Stage.FAILED, **free)
        with transaction.atomic():
            if not self._change(mine, stage=self.Stage.QUEUED, queued_at=timezone.now(), **free):
                return False
            self.push_job()
        return True

    def _owned(self) -> Q:
        return Q(stage=self.Stage.RUNNING, attempt_token=self.attempt_token, attempt_token__isnull=False)

    def _end(self, stage: str, **changes: Any) -> bool:
        free: dict[str, Any] = {"attempt_token": None, "lease_until": None, "finished_at": Now()}
        return self._change(self._owned(), stage=stage, **free, **changes)

    def _change(self, where: Q, **changes: Any) -> bool:
        if not type(self)._default_manager.filter(where, pk=self.pk).update(**changes):
            return False
        self.refresh_from_db(fields=list(changes))
        return True
