"""StorageSample: the size of one kind of files on one day."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

DATABASE, FREE = "database", "free"  # beside the names of the tables that own files


class StorageSample(models.Model):
    """Bytes of the files of a kind, of the database, or that are free on the disk, once a day."""

    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=40)
    files = models.PositiveBigIntegerField(_("files"), default=0)
    size = models.PositiveBigIntegerField(_("bytes"), default=0)

    class Meta:
        verbose_name = _("size of files")
        verbose_name_plural = _("sizes of files")
        ordering = ["-day", "kind"]
        default_permissions = ["view"]
        constraints = [models.UniqueConstraint(fields=["day", "kind"], name="one_sample_per_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.kind}"
