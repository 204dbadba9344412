"""Parts of sales: parquet files that versions of a dataset share."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from registry.storage.artifacts import Artifact
from registry.storage.tombstones import WITH_ITS_SOURCE


class SalesPart(Artifact):
    """The rows of one bucket of series and one span of days, in order of store, product and day."""

    KIND, FOLDER, SUFFIX = "sales_part", "sales", ".parquet"

    dataset = models.ForeignKey(
        "registry.Dataset", models.CASCADE, related_name="parts", verbose_name=_("dataset")
    )
    content_hash = models.CharField(_("content hash"), max_length=64)
    bucket = models.PositiveIntegerField(_("bucket of series"))
    span = models.IntegerField(_("span of days"))
    rows = models.BigIntegerField(_("rows"), default=0)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("part of sales")
        verbose_name_plural = _("parts of sales")
        ordering = ["dataset", "span", "bucket"]

    def __str__(self) -> str:
        return f"{self.dataset} {self.first} – {self.last} #{self.bucket}"


def remove_unused_parts(dataset: int, by: AbstractBaseUser | None = None) -> None:
    """Removes the parts of a dataset that no version has. Safe to repeat after a crash.

    Parts of an import that still runs are pending, so they stay.
    """
    state = SalesPart.State
    with transaction.atomic():
        unused = SalesPart.objects.filter(dataset=dataset, versions=None).exclude(state=state.PENDING)
        parts = list(unused.select_for_update(of=("self",)))
        for part in parts:
            part.mark_for_deletion(WITH_ITS_SOURCE, by)
    for part in parts:
        part.delete_files_and_row()
