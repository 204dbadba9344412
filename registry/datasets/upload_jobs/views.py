"""Pages of upload jobs: how far one is, where it leads, and its end by hand."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from registry.access.permissions import permission_required
from registry.datasets.upload_jobs.models import UploadJob
from registry.lib.http import HtmxRequest

ADD_PERMISSION = "registry.add_datasetversion"


def get_own_job(request: HttpRequest, pk: UUID) -> UploadJob:
    """The user's job; 404 for those of others."""
    related = UploadJob.objects.select_related("version__dataset")
    return get_object_or_404(related, pk=pk, created_by=cast(User, request.user))


@require_safe
@permission_required(ADD_PERMISSION)
def upload_job(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """How far a job is; once it has ended, the page that goes on from it."""
    job = get_own_job(request, pk)
    if not (address := find_next_page(job)):
        return render(request, "datasets/job.html", {"job": job})
    if job.version is not None:
        messages.success(request, _("%(version)s is saved.") % {"version": job.version})
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def find_next_page(job: UploadJob) -> str:
    """The address of the page after a job that has ended; "" while it goes on, and where there is none."""
    if job.version is not None:
        return reverse("dataset", args=[job.version.dataset_id])
    if job.is_going or job.upload_id is None:
        return ""
    is_checked = job.is_done or job.task == UploadJob.Task.SAVE
    return reverse("upload-check" if is_checked else "upload-match", args=[job.upload_id])


@require_POST
@permission_required(ADD_PERMISSION)
def upload_job_stop(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Stops a job; the upload stays."""
    get_own_job(request, pk).stop()
    return redirect("upload-job", pk)
