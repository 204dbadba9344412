"""Forecast models and their versions, and which version is in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from registry.access.audit import AuditAction, AuditEntry, record_action
from registry.access.permissions import Person, is_owner
from registry.datasets.models import Dataset, DatasetVersion, list_codes
from registry.datasets.scope import SCOPE_KINDS, Scope, ScopeKind
from registry.model_versions.changes import ChangeReason, VersionChange, find_rolled_back
from registry.model_versions.forecast_notice import describe_forecast_deletion
from registry.model_versions.gate import SameDays, evaluate_gate
from registry.model_versions.titles import version_title
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact
from registry.storage.tombstones import BY_HAND


class ForecastModel(models.Model):
    """All versions learned for one scope of a dataset, and the one in use (`best`)."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="models", verbose_name=_("dataset"))
    kind = models.CharField(_("scope"), max_length=10, choices=[(k, k) for k in SCOPE_KINDS])
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
        return Scope(cast(ScopeKind, self.kind), self.code)

    @property
    def previous_version(self) -> ModelVersion | None:
        """The version that was in use before the present one, if it still exists."""
        changes = self.changes.filter(version=self.best_id, kind__in=VersionChange.REVERSIBLE_KINDS)
        last = changes.select_related("previous__model").first() if self.best_id else None
        earlier: ModelVersion | None = last.previous if last else None
        return earlier if earlier and earlier.state == earlier.State.READY else None

    @property
    def successor(self) -> ModelVersion | None:
        """The version that takes over when the one in use is deleted: the previous one, or the best other."""
        return (
            self.previous_version or self.versions.exclude(pk__in=[self.best_id]).ready().best_first().first()
        )

    def roll_back(self, shown: ModelVersion, by: AbstractBaseUser | None) -> ModelVersion:
        """Puts the version before `shown` back in use, once however often it is sent; raises ValueError."""
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.pk)
            if model.best_id != shown.pk:
                return cast(ModelVersion, find_rolled_back(model.changes, shown))
            earlier = model.previous_version
            if earlier is None:
                raise ValueError(gettext("There is no earlier version to go back to."))
            model.activate(earlier, ChangeReason(VersionChange.Kind.ROLLED_BACK, by=by))
            record_action(AuditAction.ROLLED_BACK, earlier, by)
        return earlier

    def activate(self, version: ModelVersion | None, reason: ChangeReason) -> None:
        """Puts a version in use and records it; call with this row locked, inside a transaction."""
        before, self.best = self.best, version
        self.save(update_fields=["best"])
        self.record_change(version or before, before, reason)

    def apply_gate(self, version: ModelVersion) -> None:
        """Puts the new version in use if it passes the gate; records the decision either way."""
        best, kinds = self.best, VersionChange.Kind
        present = (best.name, best.metrics) if best else None
        same_days = SameDays.from_metrics(version.metrics, str(best.pk)) if best else None
        metrics = {**version.metrics, "wape": version.wape}
        verdict = evaluate_gate(metrics, present, settings.MAX_BIAS, same_days)
        if verdict.has_passed:
            self.activate(version, ChangeReason(kinds.PUBLISHED, verdict.text, verdict.values))
        else:
            self.record_change(version, best, ChangeReason(kinds.REJECTED, verdict.text, verdict.values))

    def record_change(
        self, version: ModelVersion | None, previous: ModelVersion | None, reason: ChangeReason
    ) -> None:
        """Adds a line to the history: a version was put in use, or why not."""
        self.changes.create(
            version=version,
            previous=previous,
            name=version.name if version else "",
            kind=reason.kind,
            text=reason.text,
            values=reason.values,
            by_id=reason.by.pk if reason.by else None,
        )


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    """Selections of versions."""

    def ready(self) -> ModelVersionQuerySet:
        return self.filter(state=Artifact.State.READY)

    def best_first(self) -> ModelVersionQuerySet:
        """By WAPE on the holdout days; versions without a score last."""
        return self.order_by(models.F("wape").asc(nulls_last=True), "-created_at")

    def in_use(self) -> ModelVersionQuerySet:
        """The version in use of each scope: global models first, then the newest."""
        return self.ready().filter(model__best=models.F("pk")).order_by("model__kind", "-created_at")

    def create_pending(self, dataset_version: DatasetVersion, scope: Scope, **fields: Any) -> ModelVersion:
        """Creates a pending version with the next number of its algorithm and scope (locks the model)."""
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

    def get_by_name(self, name: str, dataset: str = "") -> ModelVersion:
        """The ready version with that name; raises ValueError if there are none or several."""
        found = list(self.ready().filter(name=name, **({"model__dataset__name": dataset} if dataset else {})))
        if not found:
            raise ValueError(f"There is no model version {name!r}: see the names on the Models page.")
        if len(found) > 1:
            raise ValueError(f"{name} exists in several datasets: add --dataset NAME.")
        return found[0]


class ModelVersion(ArchivableArtifact):
    """The published result of a training: a safetensors file. `removal_checks` are as of DatasetVersion."""

    KIND, FOLDER, SUFFIX = "model_version", "models", ".safetensors"
    removal_checks: ClassVar[list[Callable[[ModelVersion], str]]] = []

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
    def title(self) -> str:
        """What pages call it: "KAN v2"."""
        return version_title(self.algorithm, self.number)

    @property
    def is_best(self) -> bool:
        return self.model.best_id == self.pk

    def publish(self) -> None:
        """Marks the version ready, and puts it in use if it passes the gate.

        Call inside the transaction that also finishes the training run.
        """
        model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
        self.mark_ready()
        model.apply_gate(self)

    def promote(self, reason: str, by: AbstractBaseUser | None) -> None:
        """Puts the version in use by a person's decision; raises ValueError without a reason."""
        if not reason.strip():
            raise ValueError(gettext("Enter a reason, so that others understand why."))
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
            if not ModelVersion.objects.ready().filter(pk=self.pk).exists():
                raise ValueError(gettext("%(name)s no longer exists.") % {"name": self.name})
            model.activate(self, ChangeReason(VersionChange.Kind.PROMOTED, reason.strip(), by=by))
            record_action(AuditAction.PROMOTED, self, by, reason.strip())

    @property
    def audit_trail(self) -> models.QuerySet[AuditEntry]:
        """Who did what with it, newest first."""
        return AuditEntry.objects.filter(kind="modelversion", key=str(self.pk))[:50]

    @property
    def gate_decision(self) -> VersionChange | None:
        """The gate's decision when the version was published; None if it was not."""
        kinds = (VersionChange.Kind.PUBLISHED, VersionChange.Kind.REJECTED)
        return VersionChange.objects.filter(version=self, kind__in=kinds).first()

    def lock_row(self) -> ModelVersion | None:
        """Locks its model first, as promoting does, so that nobody puts it in use meanwhile."""
        ForecastModel.objects.select_for_update().filter(pk=self.model_id).first()
        return super().lock_row()

    def removal_blocker(self) -> str:
        """One sentence on why its file must stay, or an empty string. Call with the row locked."""
        if ForecastModel.objects.filter(best=self.pk).exists():
            return gettext("%(name)s is in use: put another version in use first.") % {"name": self.name}
        return super().removal_blocker()

    def may_delete(self, user: Person) -> bool:
        """Whether the user may delete it: any version, or an own one that nobody else depends on."""
        if user.has_perm("registry.delete_modelversion"):
            return True
        own = is_owner(user, self, "training.add_trainingrun") and not self.is_best
        return own and not self.forecasts.exclude(created_by=user.pk).exists()

    def deletion_notice(self) -> str:
        """Also names its forecasts and the version that takes its place; raises ValueError if refused."""
        if blocker := next(filter(None, (find_blocker(self) for find_blocker in self.removal_checks)), ""):
            raise ValueError(blocker)
        made, pinned = self.forecasts.count(), self.forecasts.filter(pinned=True).count()
        sentences = [super().deletion_notice(), describe_forecast_deletion(made, pinned)]
        if self.is_best:
            sentences.append(self.succession_notice())
        return " ".join(filter(None, sentences))

    def succession_notice(self) -> str:
        """Which version will be in use in its place."""
        successor = self.model.successor
        if successor is None:
            return gettext("It is in use, and there is no other version to take its place.")
        return gettext("It is in use; %(name)s will take its place.") % {"name": successor}

    def delete_with_files(self, rule: str = BY_HAND, by: AbstractBaseUser | None = None) -> None:
        """Deletes row and files; if it is in use, another version takes its place."""
        self.promote_successor(by)
        self.remove(rule, by)

    def promote_successor(self, by: AbstractBaseUser | None = None) -> None:
        """If it is in use, puts the previous version or the best other one in use."""
        with transaction.atomic():
            model = ForecastModel.objects.select_for_update().get(pk=self.model_id)
            if model.best_id == self.pk:
                why = ChangeReason(VersionChange.Kind.TOOK_OVER, values={"name": self.name}, by=by)
                model.activate(model.successor, why)

    def on_damaged(self) -> None:
        """A version in use whose file is damaged is replaced by another."""
        self.promote_successor()


def known_codes(version: ModelVersion, kind: str) -> list[str]:
    """Codes of the stores or products that a version can forecast."""
    scope = version.model.scope
    return [scope.code] if scope.kind == kind else list_codes(version.dataset_version, kind)
