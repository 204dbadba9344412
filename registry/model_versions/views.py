"""Pages of model versions: details, comparison, putting in use, deleting."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.http import HtmxRequest, render_confirmation
from registry.model_versions.activation import find_activation, list_activations
from registry.model_versions.comparison import (
    MAX_VERSIONS,
    comparison_rows,
    comparison_table,
    selected_versions,
)
from registry.model_versions.error_analysis import analyze_errors, error_table, read_same_days
from registry.model_versions.metric_labels import metric_rows
from registry.model_versions.models import ModelVersion
from registry.model_versions.staleness import count_newer_days


@require_safe
def model_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One model version: test results, settings, origin and file; its errors also as an export."""
    version = get_object_or_404(
        ModelVersion.objects.ready().select_related(
            "model__dataset", "dataset_version__dataset", "created_by"
        ),
        pk=pk,
    )
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table(f"errors_{version.name}", kind, error_table(version))
    context = {
        "version": version,
        "measures": metric_rows(version.metrics),
        **analyze_errors(version),
        "run": getattr(version, "run", None),
        "activation": find_activation(version) if version.is_best else None,
        "in_use": None if version.is_best else list_activations(version.model).first(),
        "newer_days": count_newer_days(version),
        "same_days": read_same_days(version),
        "changes": version.model.changes.select_related("by", "version", "previous")[:20],
    }
    return render(request, "model_versions/detail.html", context)


@require_safe
def model_compare(request: HttpRequest) -> HttpResponse:
    """Two to four versions side by side: metrics, tests and differing settings; also as an export."""
    versions = selected_versions(request.GET.getlist("v"), chosen_dataset(request))
    context = {
        "versions": versions,
        "most": MAX_VERSIONS,
        **(comparison_rows(versions) if len(versions) > 1 else {}),
    }
    kind = request.GET.get("export")
    if kind in EXPORT_FORMATS and len(versions) > 1:
        return export_table("models_compared", kind, comparison_table(versions))
    return render(request, "model_versions/compare.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("registry.change_modelversion")
def model_promote(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for a reason, then puts the version in use."""
    version = get_object_or_404(ModelVersion.objects.ready().select_related("model__best"), pk=pk)
    if request.method == "POST":
        try:
            version.promote(request.POST.get("reason", ""), signed_in_user(request))
        except ValueError as problem:
            return render(
                request, "model_versions/promote.html", {"version": version, "problem": str(problem)}
            )
        messages.success(request, _("%(name)s is in use now.") % {"name": version.title})
        return redirect("model", pk)
    return render(request, "model_versions/promote.html", {"version": version})


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("registry.change_modelversion")
def model_roll_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Puts the previous version back in use; a GET only redirects to the version's page."""
    version = get_object_or_404(ModelVersion.objects.ready().select_related("model"), pk=pk)
    if request.method != "POST":
        return redirect("model", pk)
    try:
        earlier = version.model.roll_back(version, signed_in_user(request))
    except ValueError as problem:
        messages.error(request, str(problem))
        return redirect("model", pk)
    messages.success(request, _("%(name)s is in use again.") % {"name": earlier.title})
    return redirect("model", earlier.pk)


def signed_in_user(request: HttpRequest) -> AbstractBaseUser | None:
    """The signed-in user, or None."""
    return request.user if isinstance(request.user, AbstractBaseUser) else None


@require_http_methods(["GET", "HEAD", "POST"])
def model_delete(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks, then deletes the version with its file and its forecasts."""
    version = get_object_or_404(ModelVersion, pk=pk)
    require(version.may_delete(request.user), "registry.delete_modelversion")
    try:
        sentence = version.deletion_notice()
    except ValueError as reason:
        messages.error(request, str(reason))
        return redirect("model", pk)
    if request.method == "POST":
        version.delete_with_files(by=request.user)
        messages.success(request, _("Deleted %(name)s and its file.") % {"name": version.title})
        return redirect("models")
    title = _("Delete %(name)s?") % {"name": version.title}
    return render_confirmation(request, title, sentence, _("Yes, delete it"), reverse("model", args=[pk]))
