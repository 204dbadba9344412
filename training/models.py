"""TrainingRun: a training, from the queue to its end.

    queued --claim--> running --finish--> done        the version is published in the same transaction
      |                  |  \\--fail-----> failed      with one sentence that says why
      |                  |--lease over--> queued      resumes from its checkpoint while attempts are left
      |                  |                failed      after losing its worker twice
      |                  |--crash-------> queued      the process was killed or crashed: retried at once
      |                  |                failed      with the reason, after the second time
      |                  |--release-----> queued      the server shuts down: the attempt does not count
      \\------cancel------+--------------> cancelled   within seconds; `finish_early` ends learning early
                                                      and leads to done

Every transition is one conditional UPDATE; an attempt whose UPDATE matches no row has lost the run.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django_q.tasks import async_task

from registry.access.audit import AuditAction, record_action
from registry.access.permissions import Person, is_owner
from registry.datasets.models import DatasetVersion
from registry.datasets.scope import SCOPE_KINDS, Scope, ScopeKind
from registry.lib.events import announce_end
from registry.lib.messages import translate_message
from registry.model_versions.models import ModelVersion
from registry.storage.shared_folder import SharedFolder
from training.events import RunEvent
from training.process.limits import peak_memory_mb

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from training.learning.progress import Progress
QUEUE_NAME = "training"
CHECKPOINT_FOLDER = "runs"  # below DATA_DIR: checkpoints of runs that have not ended


class TrainingRun(models.Model):
    """One training: its settings, progress, lease and outcome."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("stopped")

    ENDED_STATES = (State.DONE, State.FAILED, State.CANCELLED)
    MAX_ATTEMPTS = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # settings
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="runs", verbose_name=_("dataset version")
    )
    kind = models.CharField(
        _("scope"), max_length=10, choices=[(k, k) for k in SCOPE_KINDS], default="global"
    )
    code = models.CharField(_("code"), max_length=100, blank=True)
    algorithm = models.CharField(_("algorithm"), max_length=40)
    config = models.JSONField(_("settings"), default=dict, blank=True)
    horizon = models.PositiveIntegerField(_("days ahead"), default=28)
    budget = models.PositiveIntegerField(_("seconds to learn"), default=60)
    seed = models.BigIntegerField(_("seed"), default=0)
    processes = models.PositiveSmallIntegerField(_("processes"), default=1)  # on each machine
    hosts = models.PositiveSmallIntegerField(_("machines"), default=1)
    group = models.UUIDField(null=True, blank=True, db_index=True, editable=False)  # queued together
    form_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("started by")
    )
    # progress
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, db_index=True)
    step = models.CharField(_("step"), max_length=20, blank=True)
    progress = models.FloatField(_("progress"), default=0)
    seconds_left = models.FloatField(_("seconds left"), null=True, blank=True)
    trials = models.JSONField(default=dict, blank=True, editable=False)  # of each method that `auto` tries
    last_seq = models.PositiveIntegerField(default=0)
    told = models.PositiveIntegerField(
        default=0, editable=False
    )  # progress reports that are stored as events
    cancel_requested = models.BooleanField(default=False)
    finish_requested = models.BooleanField(default=False)
    # lease
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    attempt_token = models.UUIDField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    host = models.CharField(_("machine"), max_length=100, blank=True)
    rendezvous = models.CharField(max_length=100, blank=True, editable=False)  # host:port of this attempt
    pid = models.PositiveIntegerField(_("process"), null=True, blank=True)
    # outcome
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True)  # with {places} for error_values
    error_values = models.JSONField(null=True, blank=True, editable=False)
    announced = models.BooleanField(default=False, editable=False)  # the owner has seen a notice of the end
    estimate = models.JSONField(_("estimate"), default=dict, blank=True)  # made before the start
    memory_mb = models.PositiveIntegerField(_("memory in MB"), null=True, blank=True)  # peak
    version = models.OneToOneField(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="run", verbose_name=_("version")
    )

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "-created_at"], name="runs_by_state")]

    def __str__(self) -> str:
        return f"{self.algorithm} · {self.scope}"

    @property
    def scope(self) -> Scope:
        return Scope(cast(ScopeKind, self.kind), self.code)

    @property
    def error_text(self) -> str:
        """Why the run failed, in the reader's language."""
        return translate_message(self.error, self.error_values)

    @property
    def has_ended(self) -> bool:
        return self.state in self.ENDED_STATES

    def may_steer(self, user: Person) -> bool:
        """Whether the user may stop it or finish it early: any run with the permission, else their own."""
        return user.has_perm("training.change_trainingrun") or is_owner(
            user, self, "training.add_trainingrun"
        )

    @property
    def owned_by_this_attempt(self) -> Q:
        """A condition that holds while the attempt of this object owns the row."""
        return Q(state=self.State.RUNNING, attempt_token=self.attempt_token, attempt_token__isnull=False)

    def push_job(self) -> None:
        """Queues a job for the run, within the caller's transaction."""
        async_task(
            "training.tasks.run_training", str(self.pk), cluster=QUEUE_NAME, timeout=self.budget + 3600
        )

    def transition(self, where: Q, events: Sequence[RunEvent], **changes: Any) -> bool:
        """Changes the row if `where` holds and stores the events, in one transaction; False if it does not.

        The UPDATE locks the row while the events are numbered, so their seq has no gap.
        """
        with transaction.atomic():
            row = TrainingRun.objects.filter(where, pk=self.pk)
            if not row.update(last_seq=F("last_seq") + len(events), **changes):
                return False
            self.refresh_from_db(fields=["last_seq", *changes])
            for back, event in enumerate(reversed(events)):
                event.run, event.seq = self, self.last_seq - back
            RunEvent.objects.bulk_create(events)
            if "finished_at" in changes:
                announce_end(self)
        return True

    def record_progress(self, progress: Sequence[Progress], reported_before: int | None = None) -> bool:
        """Stores progress reports as events and updates the progress bar; False if the run is lost.

        `reported_before` counts the reports of this attempt so far. A resumed training repeats reports of
        the attempt before; those are not stored twice.
        """
        reported_before = self.told if reported_before is None else reported_before
        fresh = progress[max(0, self.told - reported_before) :]
        events = [event for epoch in fresh for event in RunEvent.from_progress(epoch)]
        last, told = progress[-1], max(self.told, reported_before + len(progress))
        bar: dict[str, Any] = {
            "step": last.step,
            "progress": last.progress,
            "seconds_left": last.seconds_left,
        }
        bar |= {} if last.trials is None else {"trials": last.trials}
        bar["memory_mb"] = max(peak_memory_mb(), self.memory_mb or 0)
        return self.transition(self.owned_by_this_attempt, events, told=told, **bar)

    def finish_with_version(self, version: ModelVersion) -> bool:
        """Publishes the version and ends the run in one transaction; False if the run is lost."""
        with transaction.atomic():
            changes = {"version": version, "progress": 1.0, "error": "", "error_values": None}
            if not self.transition(
                self.owned_by_this_attempt,
                [self.build_state_event(self.State.DONE)],
                **changes,
                **self._end_columns(self.State.DONE),
            ):
                return False
            version.publish()
            self.queue_owner_email()
        self.shared_checkpoint.delete()  # a run that has ended is never resumed
        return True

    def mark_failed(self, reason: str, values: Mapping[str, Any] | None = None) -> bool:
        """Ends this attempt's run with one sentence; False when the run is lost or has ended already."""
        return self.end_in_state(self.owned_by_this_attempt, self.State.FAILED, reason, values)

    def mark_cancelled(self) -> bool:
        """Ends this attempt's run as cancelled; False if the run is lost."""
        return self.end_in_state(self.owned_by_this_attempt, self.State.CANCELLED)

    def cancel(self, by: User | None = None) -> None:
        """Ends a waiting run at once; has the worker of a running one stop it within seconds."""
        with transaction.atomic():
            record_action(AuditAction.STOPPED, self, by)
            state = TrainingRun.objects.select_for_update().values_list("state", flat=True).get(pk=self.pk)
            if state == self.State.QUEUED:
                self.end_in_state(Q(state=self.State.QUEUED), self.State.CANCELLED)
            elif state == self.State.RUNNING:
                line = RunEvent(kind=RunEvent.Kind.LOG, text=gettext_noop("Stop requested."))
                self.transition(Q(cancel_requested=False), [line], cancel_requested=True)

    def finish_early(self, by: User | None = None) -> None:
        """Has a running training stop learning, test and publish what it has learned."""
        line = RunEvent(kind=RunEvent.Kind.LOG, text=gettext_noop("Early finish requested."))
        running = Q(state=self.State.RUNNING, finish_requested=False, cancel_requested=False)
        with transaction.atomic():
            record_action(AuditAction.FINISHED_EARLY, self, by)
            self.transition(running, [line], finish_requested=True)

    def is_finish_requested(self) -> bool:
        """Whether an early finish was requested, read from the database."""
        return TrainingRun.objects.filter(pk=self.pk, finish_requested=True).exists()

    @property
    def learning_curve(self) -> list[dict[str, Any]]:
        """The points of the learning curve: step, method, round, train_error, check_error."""
        seen = RunEvent.objects.filter(run=self, kind=RunEvent.Kind.EPOCH, seq__lte=self.last_seq)
        return list(seen.order_by("seq").values_list("data", flat=True))

    def end_in_state(
        self, where: Q, state: str, reason: str = "", values: Mapping[str, Any] | None = None
    ) -> bool:
        token = self.attempt_token
        done = self.transition(
            where,
            [self.build_state_event(state, reason, values)],
            error=reason,
            error_values=values or None,
            **self._end_columns(state),
        )
        if done:
            self.queue_owner_email()
            self.delete_pending_version(token)
            self.shared_checkpoint.delete()  # a run that has ended is never resumed
        return done

    def requeue(self, where: Q, text: str, why: Sequence[RunEvent] = (), **changes: Any) -> bool:
        token = self.attempt_token
        fresh = {"attempt_token": None, "lease_until": None, "pid": None}
        lines = [*why, self.build_state_event(self.State.QUEUED, text)]
        with transaction.atomic():
            if not self.transition(
                where, lines, state=self.State.QUEUED, seconds_left=None, **fresh, **changes
            ):
                return False
            self.push_job()
        self.delete_pending_version(token)
        return True

    def _end_columns(self, state: str) -> dict[str, Any]:
        """The columns that every end sets; without the token a late writer matches no row."""
        cleared = {"attempt_token": None, "lease_until": None, "pid": None, "seconds_left": None}
        return {"state": state, "finished_at": Now(), **cleared}

    def build_state_event(
        self, state: str, text: str = "", values: Mapping[str, Any] | None = None
    ) -> RunEvent:
        level, data = "error" if state == self.State.FAILED else "info", {**(values or {}), "state": state}
        return RunEvent(kind=RunEvent.Kind.STATE, level=level, text=text, data=data)

    def queue_owner_email(self) -> None:
        """Queues an e-mail to the owner about the end, if mail is configured and they have an address."""
        wanted = self.state in (self.State.DONE, self.State.FAILED)
        if settings.EMAIL_HOST and wanted and self.created_by and self.created_by.email:
            async_task("training.tasks.write_to_owner", str(self.pk), cluster="light")

    def delete_pending_version(self, attempt: uuid.UUID | None) -> None:
        """Deletes what an attempt left half saved: its version has the attempt's token as id."""
        for version in ModelVersion.objects.filter(pk__in=[attempt], state=ModelVersion.State.PENDING):
            version.remove()

    @property
    def shared_checkpoint(self) -> SharedFolder:
        """The run's checkpoints, wherever they were saved."""
        return SharedFolder(f"{CHECKPOINT_FOLDER}/{self.pk}")
