"""Datasets and their versions: the sales of a business, each version named by the hash of its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils.functional import cached_property
from django.utils.translation import gettext, gettext_noop, ngettext
from django.utils.translation import gettext_lazy as _

from registry.datasets.scope import Scope
from registry.datasets.store.layout import Layout
from registry.datasets.store.models import SalesPart, remove_unused_parts
from registry.lib.errors import MessageError
from registry.storage.artifacts import Artifact
from registry.storage.tombstones import BY_HAND

MANIFEST_SUFFIX = ".parts"
NO_STORE = gettext_noop("{dataset} has no store {code}: it has {near}, …")
NO_PRODUCT = gettext_noop("{dataset} has no product {code}: it has {near}, …")


class Dataset(models.Model):
    """The sales of a business, held in immutable versions; the newest ready version is current."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    country = models.CharField(_("country for public holidays"), max_length=2, blank=True)
    is_paused = models.BooleanField(_("attention paused"), default=False)
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
    def current_version(self) -> DatasetVersion | None:
        """The newest ready version."""
        return self.versions.filter(state=Artifact.State.READY).order_by("-number").first()


def newest_day(dataset: str) -> models.Subquery:
    """The last day of the newest ready version, for rows whose field `dataset` leads to a dataset."""
    ready = DatasetVersion.objects.filter(state=Artifact.State.READY, dataset=models.OuterRef(dataset))
    return models.Subquery(ready.order_by("-number").values("last")[:1])


class DatasetVersion(Artifact):
    """The content of a dataset at one time: parts that it shares with other versions, and facts about it.

    Its own file lists the parts. A version of release 0.1 that was not moved yet (`partition_sales`) has no
    layout and no parts: its file holds the rows.
    Apps that use versions add to `removal_checks` when they are ready: each returns why a version must stay,
    or an empty string.
    """

    KIND, FOLDER, SUFFIX = "dataset_version", "datasets", ".parquet"
    PATH_FIELDS = ("id", "layout_facts")
    removal_checks: ClassVar[list[Callable[[DatasetVersion], str]]] = []

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
    layout_facts = models.JSONField(_("layout of the parts"), null=True, blank=True)
    parts = models.ManyToManyField(
        "registry.SalesPart", related_name="versions", verbose_name=_("parts of sales")
    )
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

    @property
    def path(self) -> str:
        """The list of its parts, or all rows: two names, so that one never takes the place of the other."""
        return f"{self.FOLDER}/{self.pk}{MANIFEST_SUFFIX if self.layout_facts else self.SUFFIX}"

    @property
    def layout(self) -> Layout | None:
        """How its sales are divided into parts; None when they are in one file."""
        return Layout(**self.layout_facts) if self.layout_facts else None

    @cached_property
    def ordered_parts(self) -> list[SalesPart]:
        """Its parts by span and bucket, which never change once it is ready."""
        return list(self.parts.select_related("dataset").order_by("span", "bucket"))

    @property
    def own_parts(self) -> models.QuerySet[SalesPart]:
        """The parts that no other version has."""
        shared = type(self).parts.through.objects.exclude(datasetversion=self.pk).values("salespart")
        return self.parts.exclude(pk__in=shared)

    @property
    def stored_bytes(self) -> int:
        """Bytes of its file and of all its parts, shared or not."""
        return self.size + (self.parts.aggregate(total=models.Sum("size"))["total"] or 0)

    @property
    def freed_bytes(self) -> int:
        """Bytes that go with it: of its file and of the parts that no other version has."""
        return self.size + (self.own_parts.aggregate(total=models.Sum("size"))["total"] or 0)

    def remove(self, rule: str = BY_HAND, by: AbstractBaseUser | None = None) -> None:
        """Also removes the parts that no other version has. Safe to repeat after a crash at any point."""
        dataset = self.dataset_id
        super().remove(rule, by)
        remove_unused_parts(dataset, by)

    def deletion_notice(self) -> str:
        """One sentence on what a deletion removes; raises ValueError if the version must not be deleted."""
        if self.model_versions.exists():
            raise ValueError(gettext("Models were trained on it: delete them first."))
        for find_blocker in self.removal_checks:
            if blocker := find_blocker(self):
                raise ValueError(blocker)
        if self.dataset.current_version == self:
            raise ValueError(gettext("It is the current version: go back to another one first."))
        size = filesizeformat(self.freed_bytes)
        notice = gettext("It and its file (%(size)s) will be deleted permanently.") % {"size": size}
        if count := self.runs.count():
            more = ngettext(
                "The record of %(count)d training goes with it.",
                "The records of %(count)d trainings go with it.",
                count,
            )
            notice = f"{notice} {more % {'count': count}}"
        return notice

    def check_scope(self, scope: Scope) -> None:
        """Raises ValueError when the scope's store or product is not in the sales."""
        known = {"store": self.stores, "product": self.products, "global": [""]}[scope.kind]
        if scope.code not in known:
            near = ", ".join(known[:5])
            sentence = NO_STORE if scope.kind == "store" else NO_PRODUCT
            raise MessageError(sentence, dataset=str(self.dataset), code=repr(scope.code), near=near)


def list_codes(version: DatasetVersion, kind: str) -> list[str]:
    """The codes of all stores or products in the sales."""
    return list(version.stores if kind == "store" else version.products)
