"""Forecast: quantiles per series and day made by one version, kept as one JSON file."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.access.permissions import Person, is_owner
from registry.datasets.models import DatasetVersion
from registry.model_versions.models import ModelVersion
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact


class ForecastQuerySet(models.QuerySet["Forecast"]):
    """Verbs over forecasts."""

    def ready(self) -> ForecastQuerySet:
        return self.filter(state=Artifact.State.READY)

    def with_names(self) -> ForecastQuerySet:
        """With everything that a line about a forecast names, newest first."""
        related = ("version__model__dataset", "dataset_version__dataset", "created_by")
        return self.select_related(*related).order_by("-created_at")

    def filter_matching(
        self, text: str = "", dataset: str = "", created_by: User | None = None
    ) -> ForecastQuerySet:
        """Those whose store or product holds the text, of one dataset, made by one person."""
        found = self.filter(product__icontains=text) | self.filter(store__icontains=text) if text else self
        if dataset.isdigit():
            found = found.filter(version__model__dataset=int(dataset))
        return found.filter(created_by=created_by) if created_by else found

    def make_forecast(
        self,
        version: ModelVersion,
        store: str = "",
        product: str = "",
        horizon: int = 28,
        created_by: User | None = None,
    ) -> Forecast:
        """Forecasts a series or a total (empty codes = all of the scope) and saves it.

        Raises ValueError with one sentence; then neither row nor file is left.
        """
        from prediction import engine
        from prediction.content import build_content

        outlook = engine.run_forecast(version, store, product, horizon)
        content = build_content(outlook)
        row = self.model(
            version=version,
            dataset_version=outlook.data,
            store=store,
            product=product,
            horizon=horizon,
            origin=content["origin"],
            created_by=created_by,
            **{name: content["analysis"][name] for name in ("total", "low", "high")},
        )
        return self.create_pending(row).save_content(content)

    def create_pending(self, forecast: Forecast) -> Forecast:
        """Saves a pending row while its version is certainly there; raises ValueError with a sentence."""
        with transaction.atomic():
            version = forecast.version.lock_row()
            if version is None or version.state != Artifact.State.READY:
                raise ValueError(gettext("%(name)s is not there any more.") % {"name": forecast.version})
            forecast.save(force_insert=True)
        return forecast


class Forecast(ArchivableArtifact):
    """One made forecast: its file holds history, forecast and analysis."""

    KIND, FOLDER, SUFFIX = "forecast", "forecasts", ".json"

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="forecasts", verbose_name=_("version")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="forecasts", verbose_name=_("sales it continues")
    )
    store = models.CharField(_("store"), max_length=100, blank=True)  # empty = all of the scope
    product = models.CharField(_("product"), max_length=100, blank=True)
    horizon = models.PositiveIntegerField(_("days ahead"))
    origin = models.DateField(_("last known day"))
    total = models.FloatField(_("units expected"), default=0)
    low = models.FloatField(_("lower end of the range (80%)"), default=0)
    high = models.FloatField(_("upper end of the range (80%)"), default=0)
    created_at = models.DateTimeField(_("made"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("made by")
    )

    objects = ForecastQuerySet.as_manager()

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "-created_at"], name="forecasts_by_state")]

    def __str__(self) -> str:
        return f"{self.label} · {self.origin} + {self.horizon}"

    @property
    def label(self) -> str:
        """What was forecast: store, product, both, or the whole scope."""
        parts = [part for part in (self.product, self.store) if part]
        return " · ".join(parts) or str(self.version.model.scope)

    def may_delete(self, user: Person) -> bool:
        """All forecasts, or an own one."""
        return user.has_perm("prediction.delete_forecast") or is_owner(user, self, "prediction.add_forecast")

    def save_content(self, content: dict[str, Any]) -> Forecast:
        """Writes the file, then says ready; nothing stays behind when that fails."""
        try:
            self.write(json.dumps({"label": self.label, **content}, allow_nan=False).encode())
            self.mark_ready()
        except BaseException as problem:
            self.remove()
            if isinstance(problem, OSError):
                words = {"reason": problem.strerror or problem}
                raise ValueError(gettext("The forecast could not be saved: %(reason)s.") % words) from problem
            raise
        self.refresh_from_db()
        return self

    def load_content(self) -> dict[str, Any]:
        """history, test, forecast, analysis, assumptions; raises CorruptArtifact."""
        content: dict[str, Any] = json.loads(self.read())
        return content
