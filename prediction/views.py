"""Pages that make, show, list and delete forecasts."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url, retarget

from prediction.accuracy import compare_with_actuals
from prediction.content import ForecastContent
from prediction.exports import build_sheets, day_table, forecast_list_table
from prediction.forms import ForecastForm
from prediction.models import Forecast
from prediction.page_context import forecast_context
from registry.access.permissions import permission_required, require
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.lib.export import (
    CSV,
    EXCEL,
    EXPORT_FORMATS,
    export_table,
    render_csv,
    render_excel,
)
from registry.lib.http import HtmxRequest, download_response, render_confirmation
from registry.lib.messages import translate_error
from registry.lib.request_values import read_text, read_uuids
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

FORM_FIELDS = ("version", "store", "product", "horizon")
PER_PAGE = 25
ADD_FORECAST = "prediction.add_forecast"


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ADD_FORECAST)
def forecast_create(request: HtmxRequest) -> HttpResponse:
    """Shows the form; makes the forecast of a valid one and shows it below the form."""
    given = {name: read_text(request.GET, name, 300) for name in FORM_FIELDS if name in request.GET}
    form = ForecastForm(request.POST) if request.method == "POST" else ForecastForm(initial=given)
    if request.method == "POST" and form.is_valid():
        archived = form.cleaned_data["version"].is_archived
        try:
            made = form.make_forecast(request.user)
        except (ValueError, CorruptArtifact) as problem:
            form.add_error(None, translate_error(problem))
        else:
            return render_result(request, made, restored_message(made.version) if archived else "")
    if request.htmx:
        return retarget(render(request, "prediction/forecast.html#form", {"form": form}), "#forecast-form")
    return render(request, "prediction/forecast.html", {"form": form})


def render_result(request: HtmxRequest, made: Forecast, news: str) -> HttpResponse:
    """The new forecast: as a fragment for htmx, otherwise by a redirect to its page."""
    address = reverse("forecast-detail", args=[made.pk])
    if not request.htmx:
        if news:
            messages.info(request, news)
        return redirect(address)
    context = {**forecast_context(made, made.fresh_content), "news": news}
    return push_url(render(request, "prediction/_forecast.html", context), address)


def restored_message(row: Forecast | ModelVersion) -> str:
    """The message shown when a file was restored from the archive."""
    return _("%(name)s was in the archive and has been restored.") % {"name": row}


@require_safe
def forecast_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A saved forecast, with the form for the next one above it."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    given, archived = {name: getattr(found, name) for name in FORM_FIELDS}, found.is_archived
    shown = forecast_context(found, others=[str(one) for one in read_uuids(request.GET, "with")])
    context = {"form": ForecastForm(initial=given), **shown}
    if archived and not found.is_archived:
        context["news"] = restored_message(found)
    return render(request, "prediction/forecast.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def forecast_delete(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then deletes the forecast with its file."""
    found = get_object_or_404(Forecast, pk=pk)
    require(found.may_delete(request.user), "prediction.delete_forecast")
    if found.pinned:
        messages.error(request, _("%(name)s is pinned: unpin it first.") % {"name": found.label})
        return redirect("forecast-detail", pk)
    if request.method == "POST":
        messages.success(request, _("Deleted the forecast of %(name)s and its file.") % {"name": found.label})
        found.remove(by=request.user)
        return redirect("history")
    sentence = _("The forecast of %(name)s and its file will be deleted for good.") % {"name": found.label}
    back = reverse("forecast-detail", args=[pk])
    return render_confirmation(request, _("Delete this forecast?"), sentence, _("Yes, delete it"), back)


@require_safe
def forecast_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The days of a forecast as CSV, one row a day."""
    return download_forecast(
        request, pk, CSV, lambda found, content: render_csv(day_table(found, content), with_bom=False)
    )


@require_safe
def forecast_excel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A forecast as an Excel workbook: summary, days, stores, products."""
    return download_forecast(
        request,
        pk,
        EXCEL,
        lambda found, content: render_excel(build_sheets(found, content, named_label(found))),
    )


def download_forecast(
    request: HttpRequest, pk: UUID, kind: str, write: Callable[[Forecast, ForecastContent], bytes]
) -> HttpResponse:
    """The forecast as a download; redirects to its page with a message if its file cannot be read."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    try:
        content = found.load_content()
    except (ValueError, CorruptArtifact) as problem:
        messages.error(request, translate_error(problem))
        return redirect("forecast-detail", pk)
    return download_response(write(found, content), f"{file_name(found)}.{kind}")


def named_label(forecast: Forecast) -> str:
    """Codes with names, for example P001 Aspirin; the scope when there are no codes."""
    return (
        load_names(forecast.dataset_version).format_series(forecast.store, forecast.product) or forecast.label
    )


def file_name(forecast: Forecast) -> str:
    """Name of a download, without suffix."""
    return f"forecast_{forecast.version.name}_{forecast.origin}"


@require_safe
def forecast_list(request: HtmxRequest) -> HttpResponse:
    """The forecast history, newest first, as a page, CSV or Excel."""
    wanted = {name: read_text(request.GET, name) for name in ("q", "dataset", "who")}
    mine = request.user if wanted["who"] == "me" else None
    found = Forecast.objects.ready().filter_matching(wanted["q"], wanted["dataset"], mine).with_names()
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("forecasts", kind, forecast_list_table(found))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = compare_with_actuals(list(page.object_list))
    context = {"page": page, "rows": rows, "wanted": wanted, "datasets": Dataset.objects.all()}
    return render(request, "prediction/history.html", context)
