"""TrainingRun: one attempt to learn, and the protocol that keeps it truthful.

    queued --claim--> running --finish--> done
      |                  |  \\--fail-----> failed
      |                  |--lease over--> queued again (attempts left) or failed
      \\------cancel------+--------------> cancelled
"""

from __future__ import annotations

import uuid
from typing import cast

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.models import DatasetVersion, ModelVersion
from registry.scope import KINDS, Kind, Scope


class TrainingRun(models.Model):
    """One training: what was asked, where it stands, how it ended. This row is the truth."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("training")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("stopped")

    ENDED = (State.DONE, State.FAILED, State.CANCELLED)
    MAX_ATTEMPTS = 2

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # what was asked
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="runs", verbose_name=_("dataset version")
    )
    kind = models.CharField(_("scope"), max_length=10, choices=[(k, k) for k in KINDS], default="global")
    code = models.CharField(_("code"), max_length=100, blank=True)
    algorithm = models.CharField(_("algorithm"), max_length=40)
    config = models.JSONField(_("settings"), default=dict, blank=True)
    horizon = models.PositiveIntegerField(_("days ahead"), default=28)
    budget = models.PositiveIntegerField(_("seconds to learn"), default=60)
    seed = models.BigIntegerField(_("seed"), default=0)
    form_token = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("started by")
    )
    # where it stands
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.QUEUED, db_index=True)
    step = models.CharField(_("step"), max_length=20, blank=True)
    progress = models.FloatField(_("progress"), default=0)
    seconds_left = models.FloatField(_("seconds left"), null=True, blank=True)
    last_seq = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    # who works on it
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    attempt_token = models.UUIDField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    host = models.CharField(max_length=100, blank=True)
    pid = models.PositiveIntegerField(null=True, blank=True)
    # how it ended
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True)
    version = models.OneToOneField(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="run", verbose_name=_("version")
    )

    class Meta:
        verbose_name = _("training run")
        verbose_name_plural = _("training runs")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.algorithm} · {self.scope}"

    @property
    def scope(self) -> Scope:
        return Scope(cast(Kind, self.kind), self.code)

    @property
    def ended(self) -> bool:
        return self.state in self.ENDED


class RunEvent(models.Model):
    """One durable line of a run's story; `seq` is gap-free per run, so a page can tell what it missed."""

    class Kind(models.TextChoices):
        LOG = "log", _("log line")
        EPOCH = "epoch", _("point of the learning curve")
        STATE = "state", _("change of state")

    run = models.ForeignKey(TrainingRun, models.CASCADE, related_name="events")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind)
    level = models.CharField(max_length=10, default="info")
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["run", "seq"]
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="one_event_per_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.text}"
