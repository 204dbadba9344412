"""Uploaded files until they are saved as a dataset version or discarded."""

from __future__ import annotations

import datetime as dt
import logging
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registry.datasets.importer import clean_dataset_name, inspect_file, save_version
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset, DatasetVersion
from registry.storage.shared_folder import SharedFolder, StoreUnreachable, list_abandoned

logger = logging.getLogger(__name__)
FOLDER = "uploads"
EXPIRES_AFTER = dt.timedelta(days=1)
HELD_EXPIRES_AFTER = dt.timedelta(days=60)  # of a file that a source holds for a curator
REUSED_OPTIONS = ("mapping", "roles", "encoding", "choices", "ignore")

CHECK = "check"  # key of the report: the folder of the last checks
CONTENT, FLAGGED_ROWS = RESULTS = ("canonical.parquet", "bad.csv")
upload_saved = Signal()  # with `upload` and `version`, before the upload is deleted
PACKED_GROWTH = 8  # bytes of text for each byte of a file that is no text, about
LOOK_FACTS = ("replayed", "encodings", "shown_encoding")  # of the first look; they outlast the checks


@contextmanager
def explain_store() -> Iterator[None]:
    """Raises SalesFileError where a store that hosts share does not answer."""
    try:
        yield
    except StoreUnreachable as problem:
        logger.warning("The artifact store does not answer: %s", problem)
        raise SalesFileError(_("The file store does not answer: try again in a minute.")) from problem


class UploadQuerySet(models.QuerySet["Upload"]):
    """Creates and expires uploads."""

    def delete_expired(self) -> None:
        """Deletes uploads older than EXPIRES_AFTER and folders that a killed import left behind."""
        before = timezone.now() - EXPIRES_AFTER
        long_ago = models.Q(created_at__lt=timezone.now() - HELD_EXPIRES_AFTER)
        for old in self.filter(long_ago | models.Q(source_files=None), created_at__lt=before):
            old.delete_with_files()
        kept = {str(pk) for pk in self.values_list("pk", flat=True)}
        for abandoned in list_abandoned(FOLDER, kept, before):
            abandoned.delete()
        uploads = Path(settings.DATA_DIR) / FOLDER
        for folder in uploads.iterdir() if uploads.is_dir() else ():
            if folder.name not in kept and folder.stat().st_mtime < before.timestamp():
                shutil.rmtree(folder, ignore_errors=True)

    @explain_store()
    def create_from_chunks(self, chunks: Iterable[bytes], suffix: str, **fields: Any) -> Upload:
        """Saves the file under a safe name, where every host finds it; raises SalesFileError."""
        self.delete_expired()
        upload = Upload(suffix=suffix, **fields)
        upload.folder.mkdir(parents=True)
        with (upload.folder / upload.source_name).open("wb") as stream:
            for chunk in chunks:
                upload.size += stream.write(chunk)
        upload.shared_folder.share(upload.source_name)
        upload.save()
        return upload


def find_usual_formats(reading: dict[str, Any]) -> dict[str, str]:
    """The order of dates and the decimal mark of the file before: they count where the next one proves none.

    A mark counts only if a person chose it: a file of whole numbers proves none.
    """
    dates = reading.get("dates") or reading.get("about", {}).get("dates", "")
    return {"usual_dates": dates, "usual_decimal": reading.get("decimal") or reading.get("usual_decimal", "")}


class Upload(models.Model):
    """An uploaded file and the decisions about it; it is stored in a folder named by the row's id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.CharField(_("file"), max_length=200)
    suffix = models.CharField(max_length=10)
    size = models.PositiveBigIntegerField(_("size"), default=0)
    dataset = models.ForeignKey(Dataset, models.CASCADE, null=True, blank=True, verbose_name=_("dataset"))
    name = models.CharField(_("name"), max_length=80)
    reading = models.JSONField(_("how the file was read"), default=dict)
    report = models.JSONField(_("report"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, verbose_name=_("created by")
    )  # nobody: a source found it

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.file

    @property
    def is_large(self) -> bool:
        """Whether reading it takes so long that a job does it; a packed file counts several times."""
        growth = 1 if self.suffix in (".csv", ".txt", ".tsv") else PACKED_GROWTH
        return self.size * growth > settings.QUEUED_UPLOAD_MB << 20

    @property
    def shared_folder(self) -> SharedFolder:
        """The file and its results, wherever they were made."""
        return SharedFolder(f"{FOLDER}/{self.pk}")

    @property
    def folder(self) -> Path:
        """The folder of the file and its results on this host."""
        return self.shared_folder.path

    @property
    def source_name(self) -> str:
        """The uploaded file in this folder."""
        return f"source{self.suffix}"

    @explain_store()
    def fetch(self, name: str, check: str = "") -> Path:
        """A file of the upload or of one of its checks on this host; raises SalesFileError if it is gone."""
        try:
            return self.shared_folder.fetch(f"{check}/{name}" if check else name)
        except FileNotFoundError:
            raise SalesFileError(_("The uploaded file is no longer there: upload it again.")) from None

    def fetch_result(self, name: str) -> Path:
        """A file of the last checks; raises SalesFileError."""
        return self.fetch(name, self.report.get(CHECK, ""))

    def build_options(self, **more: Any) -> ImportOptions:
        """The decisions so far as import options."""
        return ImportOptions(**{**self.reading, "on_problem": "propose", "file": self.file, **more})

    def detect_columns(self) -> None:
        """Detects the columns; proposes the options of the last import of a file with the same columns.

        Raises SalesFileError when the file cannot be read.
        """
        self.report = inspect_file(
            self.fetch(self.source_name), self.folder, self.build_options(), only="look"
        )
        candidates = [candidate["name"] for candidate in self.report["encodings"]]
        self.report["shown_encoding"] = self.reading.get("encoding", "") or "".join(candidates[:1])
        before = self.find_matching_version()
        if before is not None:
            names = {column["name"] for column in self.report["columns"]}
            reused = {name: before.reading[name] for name in REUSED_OPTIONS if name in before.reading}
            if before.dataset_id != self.dataset_id:  # same columns, but perhaps other faults
                reused.pop("choices", None)
            reused |= find_usual_formats(before.reading)
            if self.reading.get("encoding"):  # chosen for this file
                reused.pop("encoding", None)
            reused["mapping"] = {a: b for a, b in reused.get("mapping", {}).items() if b in names}
            self.reading = {**self.reading, **reused}
            self.report["replayed"] = str(before)
        self.save()

    def read_again_in(self, encoding: str) -> bool:
        """Detects the columns anew if the file may have this encoding and was shown in another one."""
        candidates = {candidate["name"] for candidate in self.report.get("encodings", [])}
        if encoding not in candidates or encoding == self.report.get("shown_encoding"):
            return False
        self.reading["encoding"] = encoding
        self.detect_columns()
        return True

    def find_matching_version(self) -> DatasetVersion | None:
        """The newest version whose file had the same columns, preferably of the same dataset."""
        versions = DatasetVersion.objects.filter(state="ready", reading__signature=self.report["signature"])
        return versions.filter(dataset=self.dataset_id).first() or versions.first()

    @property
    def has_known_columns(self) -> bool:
        """Whether a file of this dataset had the same columns; otherwise a person must match them."""
        before = self.find_matching_version()
        return before is not None and before.dataset_id == self.dataset_id

    def check_as_before(self) -> bool:
        """Runs the checks if its columns are known; False: a person must match them, or answer."""
        if not self.has_known_columns:
            return False
        try:
            self.run_checks()
        except SalesFileError:  # or a question: the page of the columns asks it
            return False
        return True

    @explain_store()
    def run_checks(self) -> None:
        """Reads and checks the whole file and saves the report. Raises SalesFileError or AmbiguousValue.

        Each check has a folder of its own: two at once, on whatever hosts, do not mix their results.
        """
        kept = {name: self.report[name] for name in LOOK_FACTS if name in self.report}
        check, before = f"check-{uuid.uuid4().hex}", self.report.get(CHECK)
        source, results = self.fetch(self.source_name), SharedFolder(f"{self.shared_folder.name}/{check}")
        results.path.mkdir()
        try:
            report = inspect_file(source, results.path, self.build_options(), self.dataset)
            results.share(*RESULTS)
        except BaseException:
            results.delete()
            raise
        self.report = {**report, **kept, CHECK: check}
        mine = type(self).objects.filter(pk=self.pk)
        if not mine.update(report=self.report, reading=self.reading):  # discarded meanwhile
            results.delete()
            raise SalesFileError(_("The uploaded file is no longer there: upload it again."))
        if before:
            SharedFolder(f"{self.shared_folder.name}/{before}").delete()

    def save_as_version(
        self, user: User | None, on_saved: Callable[[DatasetVersion], None] | None = None
    ) -> DatasetVersion:
        """Saves the checked content as a version of its dataset and deletes the upload."""
        name, content = clean_dataset_name(self.name), self.fetch_result(CONTENT)
        version = save_version(name, self.report, content, user, on_saved)
        upload_saved.send(sender=Upload, upload=self, version=version)
        self.delete_with_files()
        return version

    def delete_with_files(self) -> None:
        """Stops its jobs, deletes the files and the row."""
        for job in self.jobs.all():
            job.stop()
        self.shared_folder.delete()
        self.delete()
