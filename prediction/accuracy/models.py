"""What became of forecast runs: the days compared with sales, and sums of their errors."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from prediction.runs.models import ForecastRun
from registry.datasets.models import Dataset, DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import Artifact


class ComparedDays(Artifact):
    """Days of a run that were compared with what was sold; the file has the sums of each series.

    It outlives the run. Its cells are saved with the row's step to ready, so that neither is there alone.
    """

    KIND, FOLDER, SUFFIX = "compared_days", "accuracy", ".parquet"

    run = models.ForeignKey(
        ForecastRun, models.SET_NULL, null=True, related_name="compared", verbose_name=_("forecast run")
    )
    version = models.ForeignKey(
        ModelVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("version")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="compared", verbose_name=_("dataset version")
    )
    origin = models.DateField(_("last known day"))
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    is_informed = models.BooleanField(_("the model had learned these days"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("compared days")
        verbose_name_plural = _("compared days")
        ordering = ["-last"]
        constraints = [models.UniqueConstraint(fields=["run", "first"], name="days_compared_once")]

    def __str__(self) -> str:
        return f"{self.origin}: {self.first} – {self.last}"


class AccuracyCell(models.Model):
    """Sums of the errors of a group in one week at one lag; see prediction/accuracy/scoring.py."""

    class Kind(models.TextChoices):
        DAY = "day", _("days")
        WEEK = "week", _("sums of 7 days")
        FORTNIGHT = "fortnight", _("sums of 14 days")
        WEEK_TOTAL = "week_total", _("totals of 7 days")
        FORTNIGHT_TOTAL = "fortnight_total", _("totals of 14 days")

    days = models.ForeignKey(ComparedDays, models.CASCADE, related_name="cells")
    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    column = models.CharField(max_length=200, blank=True)  # empty = everything; see GROUP_COLUMNS
    value = models.CharField(max_length=300, blank=True)
    week = models.DateField()  # its Monday
    lag = models.PositiveSmallIntegerField()  # the first day of it
    count = models.FloatField(default=0)
    units = models.FloatField(default=0)
    missed = models.FloatField(default=0)
    over = models.FloatField(default=0)
    naive_missed = models.FloatField(default=0)
    scaled = models.FloatField(default=0)
    scaled_count = models.FloatField(default=0)
    inside_50 = models.FloatField(default=0)
    inside_80 = models.FloatField(default=0)
    inside_95 = models.FloatField(default=0)
    deviation = models.FloatField(default=0)

    class Meta:
        verbose_name = _("sums of errors")
        verbose_name_plural = _("sums of errors")
        indexes = [
            models.Index(fields=["dataset", "column", "value", "kind", "week"], name="accuracy_by_group")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.column}:{self.value} {self.week} {self.lag}"


class AccuracyAlert(models.Model):
    """Forecasts and sales have moved apart: one row for a group while it lasts."""

    class Kind(models.TextChoices):
        BIAS = "bias", _("sales left the forecast")
        SKILL = "skill", _("errors grew")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        CLOSED = "closed", _("closed")

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="alerts", verbose_name=_("dataset"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    column = models.CharField(_("level"), max_length=200, blank=True)
    value = models.CharField(_("group"), max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=14, choices=State, default=State.OPEN, db_index=True)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    weeks = models.PositiveIntegerField(_("weeks"))
    change = models.FloatField(_("change"))  # against the usual, as a share
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    mailed_at = models.DateTimeField(_("mailed"), null=True, editable=False)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("changed by")
    )

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-last", "-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "kind", "column", "value"],
                condition=~models.Q(state="closed"),
                name="one_alert_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.get_kind_display()} · {self.value or '–'}"

    @property
    def group_text(self) -> str:
        """The group as the address of the accuracy page names it; empty for everything."""
        return f"{self.column}:{self.value}" if self.column else ""
