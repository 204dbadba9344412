"""Pages that turn a file into a dataset version: upload, match columns, check, save, restore."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from registry.access.permissions import permission_required
from registry.datasets.forms import ColumnMappingForm, FindingActionForm, UploadForm
from registry.datasets.importer import restore_version
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.models import DatasetVersion
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.uploads import FLAGGED_ROWS, Upload
from registry.lib.http import allow_form_methods, download_response, render_confirmation
from registry.storage.artifacts import Artifact

ADD_PERMISSION = "registry.add_datasetversion"


def get_own_upload(request: HttpRequest, pk: UUID) -> Upload:
    """The user's upload, or one that a source holds, which is theirs from now on; 404 for those of others."""
    user = cast(User, request.user)
    theirs = Q(created_by=user) | Q(source_files__isnull=False)
    upload = get_object_or_404(Upload.objects.filter(theirs).distinct(), pk=pk)
    if upload.created_by_id != user.pk:
        upload.created_by = user
        upload.save(update_fields=["created_by"])
    return upload


def check_rows(upload: Upload) -> HttpResponse:
    """Runs the checks, of a large file as a job; where to go on. Raises SalesFileError."""
    if upload.is_large:
        upload.save()
        return redirect("upload-job", UploadJob.objects.start(upload, UploadJob.Task.CHECK).pk)
    upload.run_checks()
    return redirect("upload-check", upload.pk)


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_file(request: HttpRequest) -> HttpResponse:
    """The form for a file and its dataset."""
    posted = request.method == "POST"
    languages = request.headers.get("Accept-Language", "")
    given = (request.POST, request.FILES) if posted else ()
    form = UploadForm(*given, initial=request.GET.dict(), languages=languages)
    if posted and form.is_valid():
        try:
            upload = form.create_upload(cast(User, request.user))
        except SalesFileError as problem:
            form.add_error("file", str(problem))
        else:
            if upload.is_large and upload.has_known_columns:
                return check_rows(upload)
            return redirect("upload-check" if upload.check_as_before() else "upload-match", upload.pk)
    going = UploadJob.objects.list_going(cast(User, request.user))
    return render(request, "datasets/upload.html", {"form": form, "going": going})


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_match(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The form that matches columns; runs the checks."""
    upload = get_own_upload(request, pk)
    last_job = UploadJob.objects.find_last(upload)
    if last_job is not None and last_job.is_going:
        return redirect("upload-job", last_job.pk)
    if "columns" not in upload.report:
        return redirect("upload")
    if request.method == "POST" and upload.read_again_in(request.POST.get("encoding", "")):
        return redirect("upload-match", pk)
    form = ColumnMappingForm(upload, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save_mapping()
        try:
            return check_rows(upload)
        except AmbiguousValue as question:
            form.add_error(question.field_name, str(question))
        except SalesFileError as problem:
            form.add_error(None, str(problem))
    context = {"upload": upload, "form": form, "last_job": None if form.is_bound else last_job}
    return render(request, "datasets/match.html", context)


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The findings; checks again when actions change, saves only what was shown."""
    upload = get_own_upload(request, pk)
    last_job = UploadJob.objects.find_last(upload)
    if last_job is not None and last_job.is_going:
        return redirect("upload-job", last_job.pk)
    if "hash" not in upload.report:
        return redirect("upload-match", pk)
    form = FindingActionForm(upload.report["findings"], request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            if chosen := form.changed_actions():
                upload.reading["choices"] = {**upload.reading.get("choices", {}), **chosen}
                return check_rows(upload)
            return save_rows(request, upload)
        except SalesFileError as problem:
            form.add_error(None, str(problem))
    context = {"upload": upload, "form": form, "report": upload.report}
    return render(request, "datasets/check.html", {**context, "last_job": last_job})


def save_rows(request: HttpRequest, upload: Upload) -> HttpResponse:
    """Saves what was checked, of a large file as a job; where to go on. Raises SalesFileError."""
    if upload.is_large:
        return redirect("upload-job", UploadJob.objects.start(upload, UploadJob.Task.SAVE).pk)
    version = upload.save_as_version(cast(User, request.user))
    messages.success(request, _("%(version)s is saved.") % {"version": version})
    return redirect("dataset", version.dataset_id)


@require_safe
@permission_required(ADD_PERMISSION)
def upload_rows(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Every flagged row as CSV."""
    upload = get_own_upload(request, pk)
    try:
        path = upload.fetch_result(FLAGGED_ROWS)
    except SalesFileError:  # nothing was flagged, or not checked yet
        return redirect("upload-match", pk)
    return download_response(path.open("rb"), "findings.csv")


@require_POST
@permission_required(ADD_PERMISSION)
def upload_discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Deletes the upload; the dataset is unchanged."""
    get_own_upload(request, pk).delete_with_files()
    return redirect("data")


@allow_form_methods
@permission_required(ADD_PERMISSION)
def dataset_restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Restores an earlier version after confirmation."""
    earlier = get_object_or_404(DatasetVersion, pk=pk, state=Artifact.State.READY)
    if request.method == "POST":
        version = restore_version(earlier, cast(User, request.user))
        messages.success(request, _("%(version)s is the current version.") % {"version": version})
        return redirect("dataset", earlier.dataset_id)
    title = _("Go back to %(version)s?") % {"version": earlier}
    sentence = _("Its content becomes the newest version. Nothing is deleted, and you can undo this.")
    back = reverse("dataset", args=[earlier.dataset_id])
    return render_confirmation(request, title, sentence, _("Yes, go back"), back)
