"""Pages from a file to a dataset: upload, match, check, save; and the way back."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from registry.access.permissions import permission_required
from registry.datasets.forms import ColumnMappingForm, FindingActionForm, UploadForm
from registry.datasets.importer import restore_version
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.models import DatasetVersion
from registry.datasets.uploads import Upload
from registry.lib.http import download_response, render_confirmation
from registry.storage.artifacts import Artifact

ADD_PERMISSION = "registry.add_datasetversion"
allow_form_methods = require_http_methods(["GET", "HEAD", "POST"])


def get_own_upload(request: HttpRequest, pk: UUID) -> Upload:
    """A file that is nobody else's."""
    return get_object_or_404(Upload, pk=pk, created_by=cast(User, request.user))


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_file(request: HttpRequest) -> HttpResponse:
    """The file and its dataset."""
    posted = request.method == "POST"
    form = UploadForm(request.POST, request.FILES) if posted else UploadForm(initial=request.GET.dict())
    if posted and form.is_valid():
        try:
            received = form.create_upload(cast(User, request.user))
        except SalesFileError as problem:
            form.add_error("file", str(problem))
        else:
            return redirect("upload-match", received.pk)
    return render(request, "datasets/upload.html", {"form": form})


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_match(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Which column is which; leads to the check."""
    found = get_own_upload(request, pk)
    if "columns" not in found.report:
        return redirect("upload")
    form = ColumnMappingForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save_mapping()
        try:
            found.run_checks()
        except AmbiguousValue as question:
            form.add_error(question.field_name, str(question))
        except SalesFileError as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("upload-check", pk)
    return render(request, "datasets/match.html", {"upload": found, "form": form})


@allow_form_methods
@permission_required(ADD_PERMISSION)
def upload_check(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What was found; with other choices it is checked again, and saved only as it was shown."""
    found = get_own_upload(request, pk)
    if "hash" not in found.report:
        return redirect("upload-match", pk)
    form = FindingActionForm(found.report["findings"], request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            if chosen := form.changed_actions():
                found.reading["choices"] = {**found.reading.get("choices", {}), **chosen}
                found.run_checks()
                return redirect("upload-check", pk)
            version = found.save_as_version(cast(User, request.user))
        except SalesFileError as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("%(version)s is saved.") % {"version": version})
            return redirect("dataset", version.dataset_id)
    return render(request, "datasets/check.html", {"upload": found, "form": form, "report": found.report})


@require_safe
@permission_required(ADD_PERMISSION)
def upload_rows(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Every doubtful row as CSV."""
    found = get_own_upload(request, pk)
    path = found.folder / "bad.csv"
    if not path.is_file():
        return redirect("upload-match", pk)
    return download_response(path.open("rb"), "findings.csv")


@require_POST
@permission_required(ADD_PERMISSION)
def upload_discard(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The file is thrown away, the dataset stays as it is."""
    get_own_upload(request, pk).delete_with_files()
    return redirect("data")


@allow_form_methods
@permission_required(ADD_PERMISSION)
def dataset_restore(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, then makes an earlier version the current one."""
    earlier = get_object_or_404(DatasetVersion, pk=pk, state=Artifact.State.READY)
    if request.method == "POST":
        version = restore_version(earlier, cast(User, request.user))
        messages.success(request, _("%(version)s is the current version.") % {"version": version})
        return redirect("dataset", earlier.dataset_id)
    title = _("Go back to %(version)s?") % {"version": earlier}
    sentence = _("Its content becomes the newest version. Nothing is deleted: you can undo this too.")
    back = reverse("dataset", args=[earlier.dataset_id])
    return render_confirmation(request, title, sentence, _("Yes, go back"), back)
