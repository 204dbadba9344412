"""Pages that make, show, list and delete forecasts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url, retarget

from prediction.accuracy import looked_back
from prediction.exports import day_table, history_table, sheets
from prediction.forms import ForecastForm
from prediction.models import Forecast
from prediction.page_context import shown
from registry.access.permissions import insist, needs
from registry.datasets.models import Dataset
from registry.datasets.names import names_of
from registry.lib.export import CSV, EXCEL, KINDS, as_csv, as_excel, download, exported
from registry.lib.http import Request
from registry.lib.messages import said
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

KEPT = ("version", "store", "product", "horizon")
PER_PAGE = 25
FORECAST = "prediction.add_forecast"


@require_http_methods(["GET", "HEAD", "POST"])
@needs(FORECAST)
def forecast(request: Request) -> HttpResponse:
    """The form; a valid one is forecast at once and shown below it."""
    given = {name: request.GET[name] for name in KEPT if name in request.GET}
    form = ForecastForm(request.POST) if request.method == "POST" else ForecastForm(initial=given)
    if request.method == "POST" and form.is_valid():
        archived = form.cleaned_data["version"].archived
        try:
            made = form.make(request.user)
        except (ValueError, CorruptArtifact) as problem:
            form.add_error(None, said(str(problem)))
        else:
            return result(request, made, brought_back(made.version) if archived else "")
    if request.htmx:
        return retarget(render(request, "prediction/_form.html", {"form": form}), "#forecast-form")
    return render(request, "prediction/forecast.html", {"form": form})


def result(request: Request, made: Forecast, news: str) -> HttpResponse:
    """The finished forecast: as a fragment for htmx, else its own page."""
    address = reverse("forecast-detail", args=[made.pk])
    if not request.htmx:
        if news:
            messages.info(request, news)
        return redirect(address)
    return push_url(render(request, "prediction/_forecast.html", {**shown(made), "news": news}), address)


def brought_back(row: Forecast | ModelVersion) -> str:
    """Said when reading it took it out of the archive."""
    return _("%(name)s was in the archive and was brought back.") % {"name": row}


@require_safe
def forecast_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One saved forecast, with the form above it to make the next."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    given, archived = {name: getattr(found, name) for name in KEPT}, found.archived
    context = {"form": ForecastForm(initial=given), **shown(found, request.GET.getlist("with"))}
    if archived and not found.archived:
        context["news"] = brought_back(found)
    return render(request, "prediction/forecast.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def forecast_delete(request: Request, pk: UUID) -> HttpResponse:
    """Asks, then deletes the forecast with its file."""
    found = get_object_or_404(Forecast, pk=pk)
    insist(found.may_delete(request.user), "prediction.delete_forecast")
    if found.pinned:
        messages.error(request, _("%(name)s is pinned: unpin it first.") % {"name": found.label})
        return redirect("forecast-detail", pk)
    if request.method == "POST":
        messages.success(request, _("Deleted the forecast of %(name)s and its file.") % {"name": found.label})
        found.remove(by=request.user)
        return redirect("history")
    context = {
        "title": _("Delete this forecast?"),
        "sentence": _("The forecast of %(name)s and its file are removed for good.") % {"name": found.label},
        "button": _("Yes, delete it"),
        "back": reverse("forecast-detail", args=[pk]),
    }
    return render(request, "confirm.html", context)


@require_safe
def forecast_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The forecast's days as CSV, one row a day."""
    return saved_as(request, pk, CSV, lambda found, content: as_csv(day_table(found, content), mark=False))


@require_safe
def forecast_excel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The whole forecast as a workbook: answer, days, stores, products."""
    return saved_as(request, pk, EXCEL, lambda found, content: as_excel(sheets(found, content, label(found))))


def saved_as(
    request: HttpRequest, pk: UUID, kind: str, write: Callable[[Forecast, dict[str, Any]], bytes]
) -> HttpResponse:
    """The forecast as a file of that kind; back to its page with a sentence when it cannot be read."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    try:
        content = found.content()
    except (ValueError, CorruptArtifact) as problem:
        messages.error(request, said(str(problem)))
        return redirect("forecast-detail", pk)
    return download(file_name(found), kind, write(found, content))


def label(forecast: Forecast) -> str:
    """Codes with names; for the whole scope its own text."""
    return names_of(forecast.dataset_version).label(forecast.store, forecast.product) or forecast.label


def file_name(forecast: Forecast) -> str:
    """Says which forecast the file holds."""
    return f"forecast_{forecast.version.name}_{forecast.origin}"


@require_safe
def history(request: Request) -> HttpResponse:
    """Every forecast, newest first; also as CSV and Excel."""
    wanted = {name: request.GET.get(name, "").strip() for name in ("q", "dataset", "who")}
    mine = request.user if wanted["who"] == "me" else None
    found = Forecast.objects.ready().fitting(wanted["q"], wanted["dataset"], mine).with_names()
    if (kind := request.GET.get("export")) in KINDS:
        return exported("forecasts", kind, history_table(found))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = looked_back(list(page.object_list))
    context = {"page": page, "rows": rows, "wanted": wanted, "datasets": Dataset.objects.all()}
    return render(request, "prediction/history.html", context)
