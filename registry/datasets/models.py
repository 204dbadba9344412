"""Datasets and their versions: sales of one business, named by the hash of their content."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from registry.datasets.scope import Scope
from registry.lib.errors import MessageError
from registry.storage.artifacts import Artifact

NO_STORE = gettext_noop("{dataset} has no store {code}: it has {near}, …")
NO_PRODUCT = gettext_noop("{dataset} has no product {code}: it has {near}, …")


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
    def current_version(self) -> DatasetVersion | None:
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
            sentence = NO_STORE if scope.kind == "store" else NO_PRODUCT
            raise MessageError(sentence, dataset=str(self.dataset), code=repr(scope.code), near=near)


def list_codes(version: DatasetVersion, kind: str) -> list[str]:
    """Codes of all stores or products in the sales."""
    return list(version.stores if kind == "store" else version.products)
