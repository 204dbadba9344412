"""Pages of what exists: datasets and model versions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registry.artifacts import Artifact
from registry.explain import explained
from registry.models import Dataset, ModelVersion


@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """Every dataset with what its newest version holds."""
    return render(request, "data/list.html", {"datasets": Dataset.objects.all()})


@require_safe
def dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """One dataset: span, stores, products, roles of its columns, findings, versions."""
    found = get_object_or_404(Dataset, pk=pk)
    versions = (
        found.versions.filter(state=Artifact.State.READY).select_related("created_by").order_by("-number")
    )
    models = found.models.filter(best__isnull=False).select_related("best")
    context = {"dataset": found, "current": found.current, "versions": versions, "models": models}
    return render(request, "data/detail.html", context)


@require_safe
def model(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One model version: test results in plain words, settings, origin, file."""
    version = get_object_or_404(
        ModelVersion.objects.ready().select_related(
            "model__dataset", "dataset_version__dataset", "created_by"
        ),
        pk=pk,
    )
    context = {
        "version": version,
        "measures": explained(version.metrics),
        "run": getattr(version, "run", None),
    }
    return render(request, "models/detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def model_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, then deletes the version with its file and the forecasts made with it."""
    version = get_object_or_404(ModelVersion, pk=pk)
    if request.method == "POST":
        version.retire()
        messages.success(request, _("Deleted %(name)s and its file.") % {"name": version.name})
        return redirect("models")
    context = {
        "title": _("Delete %(name)s?") % {"name": version.name},
        "sentence": _("The model, its file and the forecasts made with it are removed for good."),
        "button": _("Yes, delete it"),
        "back": reverse("model", args=[pk]),
    }
    return render(request, "confirm.html", context)
