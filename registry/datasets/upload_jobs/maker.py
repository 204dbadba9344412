"""Works on an upload job while a thread renews its lease. Safe to kill at any moment, and to repeat."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.utils import translation

from registry.datasets.importer import clean_dataset_name, import_folder, inspect_file, save_version
from registry.datasets.importing.errors import AmbiguousValue
from registry.datasets.importing.options import ImportOptions
from registry.datasets.importing.progress import Progress
from registry.datasets.importing.sandbox.launcher import watched_by
from registry.datasets.models import DatasetVersion
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.uploads import Upload
from registry.lib.errors import MessageError, gettext_noop, split_error
from registry.lib.leases import Heartbeat
from registry.storage.artifacts import CorruptArtifact

logger = logging.getLogger(__name__)
LOST = gettext_noop("Another process has taken over this file, or somebody stopped it.")
GONE = gettext_noop("The uploaded file is no longer there: upload it again.")
NOT_SAVED = gettext_noop("The file could not be read or saved: {reason}.")


def run_job(job: UploadJob) -> None:
    """Claims the job and does it; nothing if somebody else has it. A failure is kept in its row."""
    if not job.claim():
        return
    try:
        with Heartbeat(job.renew_lease, LOST) as heartbeat, translation.override(job.language):

            def watch(progress: Progress | None) -> None:
                heartbeat.check()
                if progress is not None and not job.save_progress(progress):
                    raise MessageError(LOST)

            with watched_by(watch):
                do_task(job)
    except AmbiguousValue as question:
        keep_question(job, question)
    except (ValueError, CorruptArtifact) as problem:
        job.mark_failed(*split_error(problem))
    except OSError as problem:
        logger.warning("upload job %s: %s", job.pk, problem)
        job.mark_failed(NOT_SAVED, {"reason": problem.strerror or str(problem)})


def do_task(job: UploadJob) -> None:
    """Checks, saves or imports the upload of a claimed job."""
    upload = job.upload
    if upload is None:
        raise MessageError(GONE)
    if job.task == UploadJob.Task.CHECK:
        upload.run_checks()
        job.finish()
        return

    def finish(version: DatasetVersion) -> None:
        if not job.finish(version=version):
            raise MessageError(LOST)

    if job.task == UploadJob.Task.SAVE:
        version = upload.save_as_version(upload.created_by, finish)
    else:
        version = import_upload(upload, finish)
    if job.is_going:  # nothing has changed, so nothing was saved
        job.finish(version=version)


def import_upload(upload: Upload, finish: Callable[[DatasetVersion], None]) -> DatasetVersion:
    """Checks and saves a file by the options in its `reading`, as import_file does; raises SalesFileError."""
    with import_folder() as folder:
        options = ImportOptions(**{**upload.reading, "file": upload.file})
        report = inspect_file(upload.fetch(upload.source_name), folder, options, upload.dataset)
        name, content = clean_dataset_name(upload.name), folder / "canonical.parquet"
        version = save_version(name, report, content, upload.created_by, finish)
    upload.delete_with_files()
    return version


def keep_question(job: UploadJob, question: AmbiguousValue) -> None:
    """Ends the job with the question, which the page of the columns asks."""
    upload = job.upload
    if upload is not None:
        report = {**upload.report, "question_first": question.field_name}
        Upload.objects.filter(pk=upload.pk).update(report=report)
    job.mark_failed(str(question))
