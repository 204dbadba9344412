"""Rows of explanations that take longer than a page may: their content is worked out by a job."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar

from django.db import Error as DatabaseError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from registry.datasets.models import DatasetVersion
from registry.lib.errors import split_error
from registry.lib.messages import translate_message
from registry.model_versions.models import ModelVersion
from registry.series.levels import LevelValue, Selection

ASK_PAUSE = timedelta(minutes=2)  # a job may have been lost
KEPT_FOR = timedelta(days=30)


class AskedRow(models.Model):
    """A row whose content a job works out once somebody asks for it."""

    JOB: ClassVar[str]

    asked_at = models.DateTimeField(_("asked for"), null=True)
    content = models.JSONField(_("content"), null=True)
    problem = models.JSONField(_("problem"), default=dict)  # {"message", "values"}

    class Meta:
        abstract = True

    @property
    def is_due(self) -> bool:
        """Whether its job is still to come."""
        return self.content is None and not self.problem

    @property
    def problem_text(self) -> str:
        """Why there is no content, in the reader's language."""
        return translate_message(self.problem["message"], self.problem["values"]) if self.problem else ""

    def ask(self) -> None:
        """Queues the job, unless that was done a moment ago."""
        with suppress(DatabaseError), transaction.atomic():
            due = Q(asked_at=None) | Q(asked_at__lt=timezone.now() - ASK_PAUSE)
            if type(self)._default_manager.filter(due, pk=self.pk).update(asked_at=timezone.now()):
                async_task(self.JOB, str(self.pk), cluster="light")

    def save_content(self, content: dict[str, Any]) -> None:
        self.content, self.problem = content, {}
        self.save(update_fields=["content", "problem"])

    def save_problem(self, problem: Exception) -> None:
        """Keeps why there is no content, to be translated when it is shown."""
        message, values = split_error(problem)
        self.problem = {"message": message, "values": values}
        self.save(update_fields=["problem"])


class StoredExplanation(AskedRow):
    """The explanation of a question about many series; the content is an Explanation in JSON."""

    JOB = "prediction.tasks.explain_forecast"

    key = models.CharField(max_length=64, primary_key=True, editable=False)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+", verbose_name=_("version"))
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="+", verbose_name=_("dataset version")
    )
    selection = models.JSONField(_("series"), default=dict)
    horizon = models.PositiveIntegerField(_("days ahead"))

    class Meta:
        verbose_name = _("explanation")
        verbose_name_plural = _("explanations")

    def __str__(self) -> str:
        return self.key

    @classmethod
    def find(
        cls, version: ModelVersion, data: DatasetVersion, selection: Selection, horizon: int
    ) -> StoredExplanation:
        """The row of a question; a new one is queued, and old ones of others are removed."""
        words = (version.sha256, str(data.pk), selection_to_json(selection), horizon)
        facts = {"version": version, "dataset_version": data, "horizon": horizon}
        facts["selection"] = selection_to_json(selection)
        key = hashlib.sha256(repr(words).encode()).hexdigest()
        row, is_new = cls.objects.get_or_create(key=key, defaults=facts)
        if is_new:
            cls.objects.filter(asked_at__lt=timezone.now() - KEPT_FOR).delete()
        if row.is_due:
            row.ask()
        return row

    @property
    def asked(self) -> Selection:
        return selection_from_json(self.selection)


class InputEffects(AskedRow):
    """What each input does in a version's forecasts, and whether it knows which way plans push.

    The content: {"shares": {group: mean |part| over the units}, "directions": {group: share of series},
    "series", "windows"}.
    """

    JOB = "prediction.tasks.measure_inputs"

    version = models.OneToOneField(
        ModelVersion,
        models.CASCADE,
        primary_key=True,
        related_name="input_effects",
        verbose_name=_("version"),
    )

    class Meta:
        verbose_name = _("effects of inputs")
        verbose_name_plural = _("effects of inputs")

    def __str__(self) -> str:
        return str(self.version)

    @classmethod
    def find(cls, version: ModelVersion) -> InputEffects:
        """The row of a version; one without content is queued."""
        row, _is_new = cls.objects.get_or_create(version=version)
        if row.is_due:
            row.ask()
        return row


def selection_to_json(selection: Selection) -> dict[str, Any]:
    groups = [str(group) for group in selection.levels]
    return {"store": selection.store, "product": selection.product, "levels": groups}


def selection_from_json(values: dict[str, Any]) -> Selection:
    groups = tuple(LevelValue.from_text(text) for text in values.get("levels", []))
    return Selection(values.get("store", ""), values.get("product", ""), groups)
