"""Override: what a person changes of the forecast; the runs that it is in, and what it was worth."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any, NoReturn, cast

import numpy as np
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from prediction.accuracy.models import ComparedDays
from prediction.overrides.splitting import Change, Kind
from prediction.runs.models import ForecastRun
from registry.access.permissions import Person, is_owner
from registry.datasets.models import Dataset
from registry.series.levels import LevelValue, Selection


class OverrideIsAppendOnly(TypeError):
    """An override was about to be edited or deleted."""

    def __init__(self) -> None:
        super().__init__("Overrides are withdrawn, neither edited nor deleted.")


class OverrideQuerySet(models.QuerySet["Override"]):
    """Filters over overrides, and how one is withdrawn."""

    def in_force(self, dataset_id: int, first: date, last: date, on: date | None = None) -> OverrideQuerySet:
        """Those that touch these days, oldest first; `on`: as of the end of an earlier day."""
        found = self.filter(dataset=dataset_id, last__gte=first, first__lte=last).order_by("pk")
        if on is None:
            is_wanted = Q(expires=None) | Q(expires__gte=timezone.localdate())
            return found.filter(is_wanted, withdrawn_at=None)
        is_kept = Q(withdrawn_at=None) | Q(withdrawn_at__date__gt=on)
        return found.filter(Q(expires=None) | Q(expires__gte=on), is_kept, created_at__date__lte=on)

    def withdraw(self, pk: int, by: AbstractBaseUser | None) -> bool:
        """Ends an override for all forecasts to come; False if somebody has done so before."""
        open_rows = self.filter(pk=pk, withdrawn_at=None)
        return bool(open_rows.update(withdrawn_at=timezone.now(), withdrawn_by=by))


class Override(models.Model):
    """One change of the units of some series on some days; never edited, never deleted."""

    class Kind(models.TextChoices):
        SET = "set", _("set the total to")
        ADD = "add", _("add units")
        PERCENT = "percent", _("change by percent")

    class Reason(models.TextChoices):
        PROMOTION = "promotion", _("promotion")
        TENDER = "tender", _("tender")
        SEASON = "season", _("season")
        DELISTING = "delisting", _("delisting")
        COMPETITOR = "competitor", _("competitor")
        WEATHER = "weather", _("weather")
        SUPPLY = "supply", _("supply")
        OTHER = "other", _("other reason")

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="overrides", verbose_name=_("dataset"))
    store = models.CharField(_("store"), max_length=100, blank=True)  # empty = any
    product = models.CharField(_("product"), max_length=100, blank=True)
    levels = models.TextField(_("groups"), blank=True)  # a JSON list of "column:value"
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    kind = models.CharField(_("change"), max_length=10, choices=Kind)
    amount = models.FloatField(_("amount"))  # units, or percent
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    text = models.TextField(_("note"), blank=True)
    expires = models.DateField(_("expires"), null=True, blank=True)  # the last day on which it counts
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )

    objects = OverrideQuerySet.as_manager()

    class Meta:
        verbose_name = _("override")
        verbose_name_plural = _("overrides")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["dataset", "last"], name="overrides_by_day")]
        permissions = [("score_override", "Can see everybody's scorecard")]

    def __str__(self) -> str:
        return f"{self.series_codes or self.dataset} · {self.first} – {self.last}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise OverrideIsAppendOnly
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise OverrideIsAppendOnly

    @property
    def selection(self) -> Selection:
        """The series that it changes."""
        groups = tuple(LevelValue.from_text(text) for text in json.loads(self.levels or "[]"))
        return Selection(self.store, self.product, groups)

    @selection.setter
    def selection(self, asked: Selection) -> None:
        self.store, self.product = asked.store, asked.product
        groups = [str(group) for group in asked.levels]
        self.levels = json.dumps(groups, ensure_ascii=False) if groups else ""

    @property
    def series_codes(self) -> str:
        """Product, groups and store as codes; empty for everything."""
        asked = self.selection
        return " · ".join(filter(None, [asked.product, *map(str, asked.levels), asked.store]))

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_expired(self) -> bool:
        """Whether it counts no more, though nobody has withdrawn it."""
        return self.expires is not None and self.expires < timezone.localdate()

    @property
    def change(self) -> Change:
        """What it does to a prediction."""
        first, last = np.datetime64(self.first, "D"), np.datetime64(self.last, "D")
        return Change(self.selection, first, last, cast(Kind, self.kind), self.amount)

    def may_withdraw(self, user: Person) -> bool:
        """With the permission anybody's, else one's own."""
        return not self.is_withdrawn and (
            user.has_perm("prediction.change_override") or is_owner(user, self, "prediction.add_override")
        )


class RunOverride(models.Model):
    """An override that a run was made with, and the units that it changed; kept with the run."""

    run = models.ForeignKey(
        ForecastRun, models.CASCADE, related_name="overrides", verbose_name=_("forecast run")
    )
    override = models.ForeignKey(Override, models.CASCADE, related_name="uses", verbose_name=_("override"))
    place = models.PositiveIntegerField(_("place"))  # in the order of application
    series = models.PositiveIntegerField(_("series"))
    before = models.FloatField(_("units before"))
    after = models.FloatField(_("units after"))

    class Meta:
        verbose_name = _("override of a forecast run")
        verbose_name_plural = _("overrides of forecast runs")
        ordering = ["place"]
        constraints = [models.UniqueConstraint(fields=["run", "override"], name="override_once_a_run")]

    def __str__(self) -> str:
        return f"{self.override} ({self.before:.0f} → {self.after:.0f})"


class OverrideScore(models.Model):
    """Units of an override's series in one week of compared days, as sums over the days with a record."""

    days = models.ForeignKey(ComparedDays, models.CASCADE, related_name="override_scores")
    override = models.ForeignKey(Override, models.CASCADE, related_name="scores")
    week = models.DateField()  # its Monday
    sold = models.FloatField()
    naive = models.FloatField()  # the same weekday before the origin
    model = models.FloatField()
    before = models.FloatField()  # this override
    after = models.FloatField()
    final = models.FloatField()  # after all overrides

    class Meta:
        verbose_name = _("score of an override")
        verbose_name_plural = _("scores of overrides")

    def __str__(self) -> str:
        return f"{self.override_id} {self.week}"


def list_run_days(run: ForecastRun) -> tuple[date, date]:
    """The first and last day of a run that is being made or done."""
    origin = run.origin or run.as_of or run.dataset_version.last
    return origin + timedelta(days=1), origin + timedelta(days=run.horizon)
