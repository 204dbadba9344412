"""ForecastRun: the forecast of every series of a version on a dataset version, frozen when made.

Its stages and its lease are those of registry.lib.leases.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.db.models import Count
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from registry.access.permissions import Person, is_owner
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.events import announce_end
from registry.lib.leases import LeasedJob, LeasedJobQuerySet
from registry.model_versions.models import ModelVersion
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact


class ForecastRunQuerySet(LeasedJobQuerySet["ForecastRun"]):
    """Filters over runs, and the verbs that start and recover them."""

    def done(self) -> ForecastRunQuerySet:
        return self.filter(stage=ForecastRun.Stage.DONE, state=Artifact.State.READY)

    def of_dataset(self, dataset: Dataset | None) -> ForecastRunQuerySet:
        """The runs of a dataset, newest first, with the rows that pages name."""
        related = ("version__model__dataset", "dataset_version__dataset", "created_by")
        return self.filter(dataset_version__dataset=dataset).select_related(*related).order_by("-created_at")

    def find_fitting(self, version: ModelVersion, data: DatasetVersion, horizon: int) -> ForecastRun | None:
        """A run by this version on these sales that reaches as many days, if possible the current one."""
        same = self.done().filter(version=version, dataset_version=data, as_of=None, archived_at=None)
        found = same.filter(horizon__gte=horizon).annotate(uses=Count("current_rows"))
        return found.order_by("-uses", "-created_at").first()

    def expire_lost(self) -> list[ForecastRun]:
        """As of every job; whoever makes the server's own runs looks after them."""
        return super(ForecastRunQuerySet, self.exclude(reason=ForecastRun.Reason.SERVER)).expire_lost()


class ForecastRun(LeasedJob, ArchivableArtifact):
    """One run: what was asked, its lease, and its outcome; the file is the table of all series and days."""

    class Reason(models.TextChoices):
        PAGE = "page", _("page")
        SERVER = "server", _("new sales or another version")
        COMMAND = "command", _("command")
        API = "api", _("API")

    KIND, FOLDER, SUFFIX = "forecast_run", "forecast_runs", ".parquet"
    JOB = "prediction.tasks.make_forecast_run"
    LOST_TWICE = gettext_noop(
        "The forecast lost its process twice. Check the server log, then start it again."
    )

    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="forecast_runs", verbose_name=_("version")
    )
    dataset_version = models.ForeignKey(
        DatasetVersion, models.CASCADE, related_name="forecast_runs", verbose_name=_("dataset version")
    )
    horizon = models.PositiveIntegerField(_("days ahead"), default=28)
    as_of = models.DateField(_("as of"), null=True, blank=True)  # later days were hidden
    reason = models.CharField(_("made from"), max_length=10, choices=Reason, default=Reason.PAGE)
    created_at = models.DateTimeField(_("created"), auto_now_add=True, db_index=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("made by")
    )
    # outcome
    origin = models.DateField(_("last known day"), null=True, blank=True)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    series = models.PositiveIntegerField(_("series"), default=0)
    seconds = models.FloatField(_("seconds"), default=0)
    seed = models.BigIntegerField(_("seed"), default=0)

    objects = ForecastRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("forecast run")
        verbose_name_plural = _("forecast runs")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.version} · {self.origin or self.as_of or self.dataset_version.last} + {self.horizon}"

    @property
    def first_day(self) -> date | None:
        """The first day that it covers."""
        return self.origin + timedelta(days=1) if self.origin else None

    @property
    def maker(self) -> str:
        """Who made it: a user's name, else what caused it."""
        return str(self.created_by or self.get_reason_display())

    @property
    def is_current(self) -> bool:
        return bool(self.current_rows.exists())

    @property
    def total_size(self) -> int:
        """Bytes of its table, its sums and its totals."""
        return int(self.size + sum(part.size for part in self.list_parts()))

    @classmethod
    def ids_needed(cls) -> set[Any]:
        """Ids of the runs that rows of other tables cannot do without, such as the orders made from them."""
        fields = cls._meta.get_fields(include_hidden=True)
        relations: list[Any] = [one for one in fields if getattr(one, "on_delete", None) is models.PROTECT]
        needing = [one for one in relations if one.auto_created]
        rows = [one.related_model._default_manager.values_list(one.field.attname) for one in needing]
        return {pk for found in rows for (pk,) in found if pk is not None}

    def removal_blocker(self) -> str:
        """One sentence on why its file must stay, or an empty string. Call with the row locked."""
        if self.is_current:
            return gettext("%(name)s is the current forecast of its dataset.") % {"name": self}
        if self.pk in self.ids_needed():
            return gettext("Orders were made from %(name)s.") % {"name": self}
        return super().removal_blocker()

    def deletion_notice(self) -> str:
        """One sentence on what a deletion removes; raises ValueError if it must not be deleted."""
        if blocker := self.removal_blocker():
            raise ValueError(blocker)
        size = filesizeformat(self.total_size)
        return gettext("It and its files (%(size)s) will be deleted permanently.") % {"size": size}

    def move_to_archive(self, find_blocker: Callable[[], str] | None = None) -> None:
        """Archives its sums and totals, then its table: until that is done the next clean-up goes on."""
        for part in self.list_parts():
            part.move_to_archive(find_blocker or self.removal_blocker)
        super().move_to_archive(find_blocker)

    def restore_file(self) -> None:
        """Restores its table, sums and totals; raises ArchiveError."""
        for part in self.list_parts():
            if part.is_archived:
                part.restore_file()
        super().restore_file()

    def may_delete(self, user: Person) -> bool:
        """With the permission any run but the current one, else one's own."""
        return not self.is_current and (
            user.has_perm("prediction.delete_forecastrun")
            or is_owner(user, self, "prediction.add_forecastrun")
        )

    def mark_for_deletion(self, rule: str, by: AbstractBaseUser | None) -> None:
        """As of every artifact; raises ValueError while orders need it, before anything is deleted."""
        if self.pk in self.ids_needed():
            raise ValueError(gettext("Orders were made from %(name)s.") % {"name": self})
        super().mark_for_deletion(rule, by)

    def list_parts(self) -> list[ArchivableArtifact]:
        """What has a file of its own beside the table: sums and totals, as far as they are there."""
        return [getattr(self, name) for name in ("sums", "totals") if hasattr(self, name)]

    def remove_parts(self) -> None:
        """Removes what an attempt left beside the table."""
        for relation in self._meta.related_objects:
            if issubclass(relation.related_model, Artifact):
                for part in relation.related_model._default_manager.filter(**{relation.field.name: self}):
                    part.remove()

    def finish(self, **outcome: Any) -> bool:
        """Marks the run done, its files being whole; False if this attempt has lost the run."""
        with transaction.atomic():
            facts = {"state": self.State.READY, "size": self.size, "sha256": self.sha256}
            is_mine = super().finish(**facts, **outcome)
            if is_mine:
                announce_end(self)
        return is_mine


class RunSums(ArchivableArtifact):
    """The sums of a run beside its table: units of each series by week, and the paths of these sums."""

    KIND, FOLDER, SUFFIX = "run_sums", "run_sums", ".arrow"

    run = models.OneToOneField(
        ForecastRun, models.CASCADE, related_name="sums", verbose_name=_("forecast run")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("sums of a forecast run")
        verbose_name_plural = _("sums of forecast runs")

    def __str__(self) -> str:
        return str(self.run)
