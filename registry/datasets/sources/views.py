"""Pages of a source: make and change one, see its files, look now, switch off, delete."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from registry.access.permissions import permission_required
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.datasets.sources.forms import SourceForm, delete_source, switch_source
from registry.datasets.sources.models import Source
from registry.datasets.sources.service import request_look
from registry.lib.http import allow_form_methods, render_confirmation

ADD, CHANGE, DELETE, RUN = (f"registry.{verb}_source" for verb in ("add", "change", "delete", "run"))
FILES_ON_A_PAGE = 50


@allow_form_methods
@permission_required(ADD)
def source_create(request: HttpRequest) -> HttpResponse:
    """The form of a new source of the chosen dataset."""
    dataset = chosen_dataset(request)
    if dataset is None:
        messages.error(request, _("Import sales first: a source belongs to a dataset."))
        return redirect("data")
    return answer_form(request, dataset, Source(dataset=dataset))


@allow_form_methods
@permission_required(CHANGE)
def source_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of a source."""
    source = get_object_or_404(Source.objects.select_related("dataset"), pk=pk)
    return answer_form(request, source.dataset, source)


def answer_form(request: HttpRequest, dataset: Dataset, source: Source) -> HttpResponse:
    """Shows or saves the form."""
    form = SourceForm(dataset, request.POST if request.method == "POST" else None, instance=source)
    if request.method == "POST" and form.is_valid():
        saved = form.save_source(cast(User, request.user))
        request_look(saved)
        messages.success(request, _("%(name)s is saved.") % {"name": saved})
        return redirect("source", saved.pk)
    context = {"form": form, "dataset": dataset, "new_title": _("New source")}
    return render(request, "automation/source_form.html", context)


@require_safe
def source_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A source and the files that were found in it."""
    source = get_object_or_404(Source.objects.select_related("dataset"), pk=pk)
    files = source.files.select_related("upload", "version__dataset")
    page = Paginator(files, FILES_ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "automation/source.html", {"source": source, "page": page})


@require_POST
@permission_required(RUN)
def source_look(request: HttpRequest, pk: int) -> HttpResponse:
    """Has the source looked at now."""
    source = get_object_or_404(Source, pk=pk)
    request_look(source)
    messages.success(request, _("%(name)s is being looked at.") % {"name": source})
    return redirect("source", pk)


@require_POST
@permission_required(RUN)
def source_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switches the source on or off."""
    source = get_object_or_404(Source, pk=pk)
    switch_source(source, not source.is_enabled, cast(User, request.user))
    text = _("%(name)s is switched on.") if source.is_enabled else _("%(name)s is switched off.")
    messages.success(request, text % {"name": source})
    return redirect("source", pk)


@allow_form_methods
@permission_required(DELETE)
def source_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes the source after confirmation."""
    source = get_object_or_404(Source, pk=pk)
    if request.method == "POST":
        delete_source(source, cast(User, request.user))
        messages.success(request, _("Deleted %(name)s.") % {"name": source})
        return redirect("automation")
    title = _("Delete the source %(name)s?") % {"name": source}
    sentence = _("Sales that it brought stay. Files that lie in its place are left there.")
    return render_confirmation(request, title, sentence, _("Yes, delete"), reverse("source", args=[pk]))
