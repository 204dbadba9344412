"""What exists: datasets and their versions, models and their versions."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.artifacts import Artifact
from registry.audit import Act, AuditEntry, record
from registry.history import Change, VersionChange, put_in_use, through_the_gate, version_before
from registry.items import Item
from registry.keeping import Keepable
from registry.rights import Person, owns
from registry.scope import KINDS, Kind, Scope
from registry.tombstones import BY_HAND, Tombstone
from registry.uploads import Upload

__all__ = [
    "AuditEntry",
    "Dataset",
    "DatasetVersion",
    "ForecastModel",
    "Item",
    "ModelVersion",
    "Tombstone",
    "Upload",
]


class Dataset(models.Model):
    """Sales of one business. Its content lives in immutable versions; the newest ready one is current."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    country = models.CharField(_("country for public holidays"), max_length=2, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("dataset")
        verbose_name_plural = _("datasets")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @cached_property
    def current(self) -> DatasetVersion | None:
        """The newest version that is ready."""
        return self.versions.filter(state=Artifact.State.READY).order_by("-number").first()


class DatasetVersion(Artifact):
    """One content of a dataset, named by its hash: canonical parquet plus what is known about it."""

    KIND, FOLDER, SUFFIX = "dataset_version", "datasets", ".parquet"

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="versions", verbose_name=_("dataset"))
    number = models.PositiveIntegerField(_("version"))
    content_hash = models.CharField(_("content hash"), max_length=64, db_index=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    stores = models.JSONField(_("stores"), default=list)
    products = models.JSONField(_("products"), default=list)
    series = models.PositiveIntegerField(_("series"), default=0)
    roles = models.JSONField(_("roles of extra columns"), default=dict)
    findings = models.JSONField(_("findings of the check"), default=list)
    reading = models.JSONField(_("how the file was read"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("created by")
    )

    class Meta:
        verbose_name = _("dataset version")
        verbose_name_plural = _("dataset versions")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["dataset", "number"], name="one_number_per_dataset")]

    def __str__(self) -> str:
        return f"{self.dataset} v{self.number}"

    def check_scope(self, scope: Scope) -> None:
        """Raises ValueError with a sentence when the scope's store or product is not in this data."""
        known = {"store": self.stores, "product": self.products, "global": [""]}[scope.kind]
        if scope.code not in known:
            near = ", ".join(known[:5])
            raise ValueError(f"{self.dataset} has no {scope.kind} {scope.code!r}: it has {near}, …")


class ForecastModel(models.Model):
    """All versions learned for one scope of a dataset, and which of them is best (in use)."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="models", verbose_name=_("dataset"))
    kind = models.CharField(_("scope"), max_length=10, choices=[(k, k) for k in KINDS])
    code = models.CharField(_("code"), max_length=100, blank=True)
    best = models.ForeignKey(
        "ModelVersion",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("best version"),
    )
    numbers = models.JSONField(_("last number given, by algorithm"), default=dict)

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")
        ordering = ["dataset", "kind", "code"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "kind", "code"], name="one_model_per_scope")
        ]

    def __str__(self) -> str:
        return f"{self.dataset} · {self.scope}"

    @property
    def scope(self) -> Scope:
        return Scope(cast(Kind, self.kind), self.code)

    @property
    def before(self) -> ModelVersion | None:
        """The version that was in use before the present one."""
        return version_before(self)

    @property
    def heir(self) -> ModelVersion | None:
        """Which version takes over when the one in use goes: the one before, or the best of the others."""
        return self.before or self.versions.exclude(pk__in=[self.best_id]).ready().best_first().first()

    def roll_back(self, by: AbstractBaseUser | None) -> ModelVersion:
        """One step back to the version before; raises ValueError with a sentence when there is none."""
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.pk)
            earlier = model.before
            if earlier is None:
                raise ValueError(gettext("There is no earlier version to go back to."))
            put_in_use(model, earlier, Change(VersionChange.Kind.ROLLED_BACK, by=by))
            record(Act.ROLLED_BACK, earlier, by)
        return earlier


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Verbs over versions."""

    def ready(self) -> ModelVersionQuerySet:
        return self.filter(state=Artifact.State.READY)

    def best_first(self) -> ModelVersionQuerySet:
        """By WAPE on the held-back days; versions without a score last."""
        return self.order_by(models.F("wape").asc(nulls_last=True), "-created_at")

    def in_use(self) -> ModelVersionQuerySet:
        """The best version of each scope: those that know everything first, then the newest."""
        return self.ready().filter(model__best=models.F("pk")).order_by("model__kind", "-created_at")

    def begin(self, dataset_version: DatasetVersion, scope: Scope, **fields: Any) -> ModelVersion:
        """A pending version with the next free number of its algorithm and scope (row lock on the model)."""
        with transaction.atomic():
            ForecastModel.objects.get_or_create(
                dataset=dataset_version.dataset, kind=scope.kind, code=scope.code
            )
            model = ForecastModel.objects.select_for_update().get(
                dataset=dataset_version.dataset, kind=scope.kind, code=scope.code
            )
            number = model.numbers.get(fields["algorithm"], 0) + 1
            model.numbers[fields["algorithm"]] = number
            model.save(update_fields=["numbers"])
            parts = [fields["algorithm"], scope.kind, scope.code, f"v{number}"]
            name = "_".join(part for part in parts if part)
            return self.create(
                model=model, dataset_version=dataset_version, number=number, name=name, **fields
            )

    def named(self, name: str, dataset: str = "") -> ModelVersion:
        """The ready version of that name; raises ValueError with a sentence when none or several fit."""
        found = list(self.ready().filter(name=name, **({"model__dataset__name": dataset} if dataset else {})))
        if not found:
            raise ValueError(f"There is no model version {name!r}: see the names on the Models page.")
        if len(found) > 1:
            raise ValueError(f"{name} exists in several datasets: add --dataset NAME.")
        return found[0]


class ModelVersion(Keepable):
    """The published result of one training: one safetensors file whose header carries config and scaler."""

    KIND, FOLDER, SUFFIX = "model_version", "models", ".safetensors"

    model = models.ForeignKey(ForecastModel, models.CASCADE, related_name="versions", verbose_name=_("model"))
    dataset_version = models.ForeignKey(
        DatasetVersion, models.PROTECT, related_name="model_versions", verbose_name=_("learned from")
    )
    algorithm = models.CharField(_("algorithm"), max_length=40)
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("name"), max_length=200, db_index=True)
    horizon = models.PositiveIntegerField(_("days ahead"), default=28)
    seed = models.BigIntegerField(_("seed"), default=0)
    config = models.JSONField(_("settings"), default=dict)
    metrics = models.JSONField(_("test results"), default=dict)
    wape = models.FloatField(_("error"), null=True, blank=True, db_index=True)
    seconds = models.FloatField(_("seconds to learn"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, verbose_name=_("trained by")
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["model", "algorithm", "number"], name="one_number_per_algorithm")
        ]
        permissions = [("archive_modelversion", "Can archive and restore files")]
        indexes = [
            models.Index(fields=["-created_at"], name="versions_newest"),
            models.Index(fields=["state", "-created_at"], name="versions_by_state"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_best(self) -> bool:
        return self.model.best_id == self.pk

    def publish(self) -> None:
        """Ready, and best when the gate lets it pass; why or why not is written down.

        Call inside the transaction that also finishes the training run.
        """
        model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
        self.mark_ready()
        through_the_gate(model, self)

    def promote(self, reason: str, by: AbstractBaseUser | None) -> None:
        """In use because a person says so; raises ValueError with a sentence without a reason."""
        if not reason.strip():
            raise ValueError(gettext("Write a reason: the next person wants to know it."))
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
            if not ModelVersion.objects.ready().filter(pk=self.pk).exists():
                raise ValueError(gettext("%(name)s is not there any more.") % {"name": self.name})
            put_in_use(model, self, Change(VersionChange.Kind.PROMOTED, reason.strip(), by=by))
            record(Act.PROMOTED, self, by, reason.strip())

    @property
    def story(self) -> models.QuerySet[AuditEntry]:
        """Who did what to it, the newest first."""
        return AuditEntry.objects.filter(kind="modelversion", key=str(self.pk))[:50]

    @property
    def verdict(self) -> VersionChange | None:
        """What the gate said when the version was published."""
        kinds = (VersionChange.Kind.PUBLISHED, VersionChange.Kind.KEPT_BACK)
        return VersionChange.objects.filter(version=self, kind__in=kinds).first()

    def lock(self) -> ModelVersion | None:
        """Its model first, as promoting does: nobody puts it in use meanwhile."""
        ForecastModel.objects.select_for_update().filter(pk=self.model_id).first()
        return super().lock()

    def hold(self) -> str:
        """Why its file must stay here; call with the row locked."""
        if ForecastModel.objects.filter(best=self.pk).exists():
            return gettext("%(name)s is in use: put another version in use first.") % {"name": self.name}
        return super().hold()

    def may_delete(self, user: Person) -> bool:
        """All versions, or an own one that is not in use and that nobody else's forecast was made with."""
        if user.has_perm("registry.delete_modelversion"):
            return True
        own = owns(user, self, "training.add_trainingrun") and not self.is_best
        return own and not self.forecasts.exclude(created_by=user.pk).exists()

    def retire(self, rule: str = BY_HAND, by: AbstractBaseUser | None = None) -> None:
        """Deletes row and files; another version takes its place."""
        self.hand_on(by)
        self.remove(rule, by)

    def hand_on(self, by: AbstractBaseUser | None = None) -> None:
        """If it is in use: the version before it, or the best of the others, takes its place."""
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
            if model.best_id == self.pk:
                why = Change(VersionChange.Kind.HANDED_ON, values={"name": self.name}, by=by)
                put_in_use(model, model.heir, why)
