"""RunChange: what changed in a run since the one before, worked out when somebody first looks."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from django.db import Error as DatabaseError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_q.tasks import async_task

from prediction.runs.models import ForecastRun

JOB = "prediction.tasks.explain_forecast_run"
ASK_PAUSE = timedelta(minutes=2)  # a job may have been lost


class RunChange(models.Model):
    """The content is a ChangeFacts in JSON (see `prediction.runs.changes`); None until the job is done."""

    run = models.OneToOneField(
        ForecastRun, models.CASCADE, primary_key=True, related_name="change", verbose_name=_("forecast run")
    )
    asked_at = models.DateTimeField(_("asked for"), null=True)
    content = models.JSONField(_("content"), null=True)

    class Meta:
        verbose_name = _("change of a forecast run")
        verbose_name_plural = _("changes of forecast runs")

    def __str__(self) -> str:
        return str(self.run)


def load_change(run: ForecastRun) -> RunChange | None:
    """The change, whose content may be missing: then its job is queued, unless that was done a moment ago."""
    found = RunChange.objects.filter(run=run).first()
    if found is not None and found.content is not None:
        return found
    moment = timezone.now() - ASK_PAUSE
    with suppress(DatabaseError), transaction.atomic():
        if found is None:
            RunChange.objects.get_or_create(run=run)
        due = Q(asked_at=None) | Q(asked_at__lt=moment)
        if RunChange.objects.filter(due, run=run).update(asked_at=timezone.now()):
            async_task(JOB, str(run.pk), cluster="light")
    return found
