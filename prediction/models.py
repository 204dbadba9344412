"""Forecast: a row for the list, and a JSON file with everything its page shows."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from prediction.accuracy.models import AccuracyAlert, AccuracyCell, ComparedDays
from prediction.content import ForecastContent
from prediction.content_builder import build_content
from prediction.engine import ScopeForecast, run_forecast
from prediction.explanations.models import InputEffects, StoredExplanation
from prediction.order_backtests.models import OrderBacktest
from prediction.order_runs.models import OrderEdit, OrderExport, OrderLine, OrderPolicy, OrderRun
from prediction.overrides.models import Override, OverrideScore, RunOverride
from prediction.runs.change_row import RunChange
from prediction.runs.models import ForecastRun, RunSums
from prediction.scenarios.models import Scenario
from registry.access.permissions import Person, is_owner
from registry.datasets.levels import read_levels
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.request_values import read_id
from registry.model_versions.models import ModelVersion
from registry.series.levels import LevelValue, Selection, SeriesCodes
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact

__all__ = [
    "AccuracyAlert",
    "AccuracyCell",
    "ComparedDays",
    "CurrentForecast",
    "Forecast",
    "ForecastRun",
    "InputEffects",
    "OrderBacktest",
    "OrderEdit",
    "OrderExport",
    "OrderLine",
    "OrderPolicy",
    "OrderRun",
    "Override",
    "OverrideScore",
    "RunChange",
    "RunOverride",
    "RunSums",
    "Scenario",
    "StoredExplanation",
]


class ForecastQuerySet(models.QuerySet["Forecast"]):
    """Filters over forecasts, and `make_forecast`."""

    def ready(self) -> ForecastQuerySet:
        return self.filter(state=Artifact.State.READY)

    def by_people(self) -> ForecastQuerySet:
        """Without those that the server makes by itself."""
        return self.exclude(source=Forecast.Source.SERVER)

    def made_by_server(self, dataset: Dataset) -> ForecastQuerySet:
        """Every forecast of everything in this dataset, in whatever state."""
        return self.filter(source=Forecast.Source.SERVER, dataset_version__dataset=dataset)

    def with_names(self) -> ForecastQuerySet:
        """With the related rows that a list of forecasts names, newest first."""
        related = ("version__model__dataset", "dataset_version__dataset", "created_by")
        return self.select_related(*related).order_by("-created_at")

    def filter_matching(
        self, text: str = "", dataset: str = "", created_by: User | None = None
    ) -> ForecastQuerySet:
        """Forecasts whose store, product or group contains `text`, of the dataset id, made by that person."""
        parts = ("product", "store", "levels")
        found = Q(*((f"{part}__icontains", text) for part in parts), _connector=Q.OR)
        rows = self.filter(found) if text else self
        if (number := read_id(dataset)) is not None:
            rows = rows.filter(version__model__dataset=number)
        return rows.filter(created_by=created_by) if created_by else rows

    def make_forecast(
        self,
        version: ModelVersion,
        store: str = "",
        product: str = "",
        horizon: int = 28,
        created_by: User | None = None,
    ) -> Forecast:
        """Forecasts a series or a total (empty codes = the whole scope) and saves it.

        Raises ValueError with one sentence; then neither row nor file is left.
        """
        row, content = self.compute_forecast(version, Selection(store, product), horizon)
        row.created_by = created_by
        return self.create_pending(row).save_content(content)

    def compute_forecast(
        self, version: ModelVersion, selection: Selection, horizon: int
    ) -> tuple[Forecast, ForecastContent]:
        """The same without saving it: a row that is not in the database, and its content."""
        outlook = run_forecast(version, selection, horizon)
        content = build_content(outlook)
        row = self.describe_content(outlook, content)
        row.selection, row.created_at = selection, timezone.now()
        return row, content

    def describe_content(self, outlook: ScopeForecast, content: ForecastContent) -> Forecast:
        """A row with what the content says, not in the database."""
        return self.model(
            version=outlook.version,
            dataset_version=outlook.data,
            horizon=len(content.forecast),
            origin=date.fromisoformat(content.origin),
            total=content.analysis.total,
            low=content.analysis.low,
            high=content.analysis.high,
        )

    def create_pending(self, forecast: Forecast) -> Forecast:
        """Saves a pending row while its version is locked; raises ValueError if the version was deleted."""
        with transaction.atomic():
            version = forecast.version.lock_row()
            if version is None or version.state != Artifact.State.READY:
                raise ValueError(gettext("%(name)s no longer exists.") % {"name": forecast.version})
            forecast.save(force_insert=True)
        return forecast


class Forecast(ArchivableArtifact):
    """A forecast of a series or a total by one version; its file is a ForecastContent."""

    class Source(models.TextChoices):
        PAGE = "page", _("page")
        SERVER = "server", _("the server")

    KIND, FOLDER, SUFFIX = "forecast", "forecasts", ".json"
    fresh_content: ForecastContent | None = None  # what `save_content` has just written

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="forecasts", verbose_name=_("version")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="forecasts", verbose_name=_("dataset version")
    )
    store = models.CharField(_("store"), max_length=100, blank=True)  # empty = the whole scope
    product = models.CharField(_("product"), max_length=100, blank=True)
    levels = models.TextField(_("groups"), blank=True)  # a JSON list of "column:value"
    horizon = models.PositiveIntegerField(_("days ahead"))
    origin = models.DateField(_("last known day"))
    total = models.FloatField(_("units expected"), default=0)
    low = models.FloatField(_("lower end of the range (80%)"), default=0)
    high = models.FloatField(_("upper end of the range (80%)"), default=0)
    created_at = models.DateTimeField(_("made"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("made by")
    )
    source = models.CharField(_("made from"), max_length=10, choices=Source, default=Source.PAGE)
    run = models.OneToOneField(  # whose totals it is
        ForecastRun,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="totals",
        verbose_name=_("forecast run"),
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
        """What is forecast: product and store codes, or the scope of the version."""
        asked = self.selection
        parts = [asked.product, *map(str, asked.levels), asked.store]
        return " · ".join(filter(None, parts)) or str(self.version.model.scope)

    @property
    def selection(self) -> Selection:
        """The series that were asked for; groups as they were called then."""
        groups = tuple(LevelValue.from_text(text) for text in json.loads(self.levels or "[]"))
        return Selection(self.store, self.product, groups)

    @selection.setter
    def selection(self, asked: Selection) -> None:
        self.store, self.product = asked.store, asked.product
        groups = [str(group) for group in asked.levels]
        self.levels = json.dumps(groups, ensure_ascii=False) if groups else ""  # people search in it

    @property
    def coverage(self) -> Selection:
        """The series that it covers: a narrower version has no others than those of its scope."""
        scope, asked = self.version.model.scope, self.selection
        store = asked.store or (scope.code if scope.kind == "store" else "")
        product = asked.product or (scope.code if scope.kind == "product" else "")
        return replace(asked, store=store, product=product)

    @property
    def covered_codes(self) -> SeriesCodes:
        """Stores and products by the groups of the sales it was made from; raises CorruptArtifact."""
        covered = self.coverage
        return covered.list_codes(read_levels(self.dataset_version) if covered.levels else ())

    @property
    def is_saved(self) -> bool:
        """Whether it is in the database; a forecast that a link asked for is not, until somebody saves it."""
        return not self._state.adding

    @property
    def maker(self) -> str:
        """Who made it: a user's name, or the server; empty when that user no longer exists."""
        if self.source == self.Source.SERVER and self.created_by is None:
            return str(self.Source.SERVER.label)
        return str(self.created_by or "")

    def removal_blocker(self) -> str:
        """One sentence on why its file must stay, or an empty string. Call with the row locked."""
        if CurrentForecast.objects.filter(forecast=self.pk).exists():
            return gettext("%(name)s is the current forecast of its dataset.") % {"name": self}
        return super().removal_blocker()

    def deletion_notice(self) -> str:
        """One sentence on what a deletion removes; raises ValueError if it must not be deleted."""
        if self.run_id is not None:
            raise ValueError(gettext("It holds the totals of a forecast run: delete the run instead."))
        return super().deletion_notice()

    def may_delete(self, user: Person) -> bool:
        """With the permission any forecast, else only one's own; never the server's, which replaces it."""
        if self.source == self.Source.SERVER:
            return False
        return user.has_perm("prediction.delete_forecast") or is_owner(user, self, "prediction.add_forecast")

    def save_content(self, content: ForecastContent, **more: Any) -> Forecast:
        """Writes the file, with `more` keys, and marks the row ready; removes both if that fails."""
        try:
            facts = {"label": self.label, **content.to_json(), **more}
            self.write(json.dumps(facts, allow_nan=False).encode())
            self.mark_ready()
        except BaseException as problem:
            self.remove()
            if isinstance(problem, OSError):
                words = {"reason": problem.strerror or problem}
                raise ValueError(gettext("The forecast could not be saved: %(reason)s.") % words) from problem
            raise
        self.refresh_from_db(fields=["origin", "total", "low", "high", "created_at"])
        self.fresh_content = content
        return self

    def load_content(self) -> ForecastContent:
        """Reads and checks the file; raises CorruptArtifact."""
        return ForecastContent.from_json(json.loads(self.read()))


class CurrentForecast(models.Model):
    """The server's own forecast of everything in a dataset, by the version in use on the newest sales."""

    dataset = models.OneToOneField(
        Dataset, models.CASCADE, primary_key=True, related_name="+", verbose_name=_("dataset")
    )
    forecast = models.OneToOneField(
        Forecast, models.SET_NULL, null=True, related_name="+", verbose_name=_("forecast")
    )
    run = models.ForeignKey(
        ForecastRun, models.SET_NULL, null=True, related_name="current_rows", verbose_name=_("forecast run")
    )
    previous = models.ForeignKey(
        ForecastRun, models.SET_NULL, null=True, related_name="+", verbose_name=_("forecast run before")
    )
    kept_for = models.CharField(max_length=100, blank=True, editable=False)  # a choice by hand: until when
    asked_at = models.DateTimeField(_("asked for"), null=True)
    problem = models.JSONField(_("problem"), default=dict)  # {"message", "values"} of the last attempt

    class Meta:
        verbose_name = _("current forecast")
        verbose_name_plural = _("current forecasts")

    def __str__(self) -> str:
        return str(self.dataset)
