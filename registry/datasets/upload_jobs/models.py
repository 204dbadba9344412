"""UploadJob: a large upload that is checked or saved by the light queue, and how far it is."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from registry.datasets.importing.progress import Progress
from registry.datasets.models import DatasetVersion
from registry.datasets.uploads import Upload
from registry.lib.formatting import format_whole_number
from registry.lib.leases import GOING, LeasedJob, LeasedJobQuerySet

KEPT = dt.timedelta(days=2)  # after its end; an upload lives for one
STOPPED = gettext_noop("You stopped it.")
PROGRESS_TEXTS = {
    "unpack": _("Unpacking: %(done)s"),
    "read": _("Reading: %(done)s of %(total)s"),
    "sort": _("Sorting: %(done)s of %(total)s rows"),
    "check": _("Checking: %(done)s rows kept"),
    "write": _("Writing: %(done)s of %(total)s rows"),
}
IN_BYTES = ("unpack", "read")


class UploadJobQuerySet(LeasedJobQuerySet["UploadJob"]):
    """Starts and finds jobs."""

    def start(self, upload: Upload, task: str) -> UploadJob:
        """The waiting job; the one that goes on already, if there is one."""
        ended = self.filter(queued_at__lt=timezone.now() - KEPT)
        ended.exclude(stage__in=GOING).delete()
        with transaction.atomic():
            Upload.objects.select_for_update().get(pk=upload.pk)
            last = self.find_last(upload)
            if last is not None and last.is_going:
                return last
            facts = {"file": upload.file, "language": get_language() or "en"}
            return UploadJob(upload=upload, task=task, created_by=upload.created_by, **facts).queue()

    def list_going(self, user: User) -> UploadJobQuerySet:
        """The jobs of a person that wait or run."""
        return self.filter(created_by=user, stage__in=GOING)

    def find_last(self, upload: Upload) -> UploadJob | None:
        """The newest job of an upload."""
        return self.filter(upload=upload).order_by("-queued_at").first()


class UploadJob(LeasedJob):
    """A job, its lease and its outcome; the upload is gone once it is saved."""

    class Task(models.TextChoices):
        CHECK = "check", _("Checking the rows")
        SAVE = "save", _("Saving the dataset")
        IMPORT = "import", _("Importing the file")  # both at once, by the options it came with

    JOB = "registry.datasets.upload_jobs.tasks.run_upload_job"
    LOST_TWICE = gettext_noop(
        "The process that worked on the file was lost twice: split the file, or ask an operator to look into "
        "the server log."
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(
        Upload, models.SET_NULL, null=True, related_name="jobs", verbose_name=_("upload")
    )
    file = models.CharField(_("file"), max_length=200)
    task = models.CharField(_("task"), max_length=10, choices=Task)
    language = models.CharField(_("language"), max_length=10)  # of its sentences
    step = models.CharField(_("step"), max_length=10, blank=True)  # as importing.progress calls it
    done = models.PositiveBigIntegerField(_("done"), default=0)
    total = models.PositiveBigIntegerField(_("of"), default=0)
    version = models.ForeignKey(
        DatasetVersion, models.SET_NULL, null=True, related_name="+", verbose_name=_("version")
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("created by"))

    objects = UploadJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job of an upload")
        verbose_name_plural = _("jobs of uploads")
        ordering = ["-queued_at"]

    def __str__(self) -> str:
        return f"{self.file} · {self.get_task_display()}"

    @property
    def page_step(self) -> int:
        """Its place among the steps of an upload."""
        return 3 if self.task == self.Task.CHECK else 4

    @property
    def progress_text(self) -> str:
        """What it does, and how far it is."""
        if self.stage == self.Stage.QUEUED:
            return gettext("Waiting for its turn.")
        if self.step not in PROGRESS_TEXTS:
            return gettext("Preparing …") if self.task == self.Task.CHECK else gettext("Saving …")
        form: Any = filesizeformat if self.step in IN_BYTES else format_whole_number
        return str(PROGRESS_TEXTS[self.step]) % {"done": form(self.done), "total": form(self.total)}

    def save_progress(self, progress: Progress) -> bool:
        """Notes how far it is; False if this attempt has lost the job."""
        facts = {"step": progress.step, "done": progress.done, "total": progress.total}
        return self._change(self._owned(), **facts)

    def stop(self) -> bool:
        """Ends it wherever it is; False if it has ended. The process that works on it loses its lease."""
        going = models.Q(stage__in=GOING)
        free = {"attempt_token": None, "lease_until": None, "finished_at": timezone.now()}
        return self._change(going, stage=self.Stage.FAILED, error=STOPPED, error_values=None, **free)
