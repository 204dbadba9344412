"""Forecast: quantiles per series and day made by one version, kept as one JSON file."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from registry.artifacts import Artifact
from registry.models import DatasetVersion, ModelVersion
from registry.scope import Scope


class Forecast(Artifact):
    """One made forecast: its file holds history, forecast and analysis."""

    FOLDER, SUFFIX = "forecasts", ".json"

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="forecasts", verbose_name=_("version"))
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="forecasts", verbose_name=_("sales it continues")
    )
    store = models.CharField(_("store"), max_length=100, blank=True)  # empty = all of the scope
    product = models.CharField(_("product"), max_length=100, blank=True)
    horizon = models.PositiveIntegerField(_("days ahead"))
    origin = models.DateField(_("last known day"))
    total = models.FloatField(_("units expected"), default=0)
    low = models.FloatField(_("lower end of the 80% range"), default=0)
    high = models.FloatField(_("upper end of the 80% range"), default=0)
    created_at = models.DateTimeField(_("made"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("made by")
    )

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.label} · {self.origin} + {self.horizon}"

    @property
    def label(self) -> str:
        """What was forecast: store, product, both, or the whole scope."""
        parts = [part for part in (self.product, self.store) if part]
        return " · ".join(parts) or str(cast(Scope, self.version.model.scope))
