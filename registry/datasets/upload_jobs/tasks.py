"""Jobs of uploads in the light queue. Their dotted names are stored in queue rows of installations."""

from __future__ import annotations

from registry.datasets.upload_jobs.maker import run_job
from registry.datasets.upload_jobs.models import UploadJob


def run_upload_job(job_id: str) -> None:
    """Queue job: checks or saves an upload."""
    related = ("upload__dataset", "upload__created_by")
    if job := UploadJob.objects.filter(pk=job_id).select_related(*related).first():
        run_job(job)
