"""The columns of a training run; its verbs are in training.models."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.models import DatasetVersion, ModelVersion
from registry.scope import KINDS


class RunColumns(models.Model):
    """What was asked, where it stands, who works on it, how it ended."""

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
    told = models.PositiveIntegerField(default=0, editable=False)  # signs of life in the events
    cancel_requested = models.BooleanField(default=False)
    finish_requested = models.BooleanField(default=False)
    # who works on it
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    attempt_token = models.UUIDField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    host = models.CharField(_("machine"), max_length=100, blank=True)
    pid = models.PositiveIntegerField(_("process"), null=True, blank=True)
    # how it ended
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    error = models.TextField(_("reason"), blank=True)
    announced = models.BooleanField(default=False, editable=False)  # who started it was told of the end
    estimate = models.JSONField(_("estimate"), default=dict, blank=True)  # before the start
    memory_mb = models.PositiveIntegerField(_("memory in MB"), null=True, blank=True)  # the most it took
    version = models.OneToOneField(
        ModelVersion, models.SET_NULL, null=True, blank=True, related_name="run", verbose_name=_("version")
    )

    class Meta:
        abstract = True
