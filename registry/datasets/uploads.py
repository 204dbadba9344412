"""Files on their way into a dataset: uploaded, matched, checked, saved or thrown away."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.datasets.importer import clean_dataset_name, inspect_file, save_version
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset, DatasetVersion

EXPIRES_AFTER = dt.timedelta(days=1)
REUSED_OPTIONS = ("mapping", "roles", "dates", "decimal", "choices", "ignore")


class UploadQuerySet(models.QuerySet["Upload"]):
    """Verbs over files on their way."""

    def delete_expired(self) -> None:
        """Files that nobody saved for a day go, and what a killed import left behind."""
        before = timezone.now() - EXPIRES_AFTER
        for old in self.filter(created_at__lt=before):
            old.delete_with_files()
        shelf = Path(settings.DATA_DIR) / "uploads"
        for folder in shelf.iterdir() if shelf.is_dir() else ():
            if folder.stat().st_mtime < before.timestamp():
                shutil.rmtree(folder, ignore_errors=True)

    def create_from_chunks(self, chunks: Iterable[bytes], suffix: str, **fields: Any) -> Upload:
        """Keeps the file under a name of our own."""
        self.delete_expired()
        upload = Upload(suffix=suffix, **fields)
        upload.folder.mkdir(parents=True)
        with upload.source_path.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
        upload.save()
        return upload


class Upload(models.Model):
    """One file and what has been decided about it so far. It lives in a folder named by the row's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.CharField(_("file"), max_length=200)
    suffix = models.CharField(max_length=10)
    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, blank=True, verbose_name=_("dataset"))
    name = models.CharField(_("name"), max_length=80)
    reading = models.JSONField(_("how the file was read"), default=dict)
    report = models.JSONField(_("report"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("created by"))

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.file

    @property
    def folder(self) -> Path:
        return Path(settings.DATA_DIR) / "uploads" / str(self.pk)

    @property
    def source_path(self) -> Path:
        return self.folder / f"source{self.suffix}"

    def build_options(self, **more: Any) -> ImportOptions:
        """What has been said about the file so far."""
        return ImportOptions(**{**self.reading, "on_problem": "propose", "file": self.file, **more})

    def detect_columns(self) -> None:
        """Finds the columns; what was decided about the same columns last time is proposed again."""
        self.report = inspect_file(self.source_path, self.folder, self.build_options(), only="look")
        before = self.find_matching_version()
        if before is not None:
            names = {column["name"] for column in self.report["columns"]}
            kept = {name: before.reading[name] for name in REUSED_OPTIONS if name in before.reading}
            if before.dataset_id != self.dataset_id:  # the columns mean the same, the faults may not
                kept.pop("choices", None)
            kept["mapping"] = {a: b for a, b in kept.get("mapping", {}).items() if b in names}
            self.reading = {**self.reading, **kept}
            self.report["replayed"] = str(before)
        self.save()

    def find_matching_version(self) -> DatasetVersion | None:
        """The newest version whose file had the same columns, of the same dataset if there is one."""
        found = DatasetVersion.objects.filter(state="ready", reading__signature=self.report["signature"])
        return found.filter(dataset=self.dataset_id).first() or found.first()

    def run_checks(self) -> None:
        """Reads all of it; the report is kept with the row. Raises SalesError or Question."""
        replayed = self.report.get("replayed", "")
        self.report = inspect_file(self.source_path, self.folder, self.build_options(), self.dataset)
        self.report["replayed"] = replayed
        self.save()

    def save_as_version(self, user: User) -> DatasetVersion:
        """The checked content as a version of its dataset; the upload is done with."""
        version = save_version(
            clean_dataset_name(self.name), self.report, self.folder / "canonical.parquet", user
        )
        self.delete_with_files()
        return version

    def delete_with_files(self) -> None:
        """Row and files go."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.delete()
