"""Pages that make, show, list and delete forecasts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url, reswap, retarget

from prediction.accuracy.so_far import compare_with_actuals
from prediction.content import ForecastContent
from prediction.forecast_page.exports import build_sheets, day_table, forecast_list_table
from prediction.forecast_page.forms import DAYS_AHEAD, ForecastForm, form_for
from prediction.forecast_page.version_choice import ready_versions
from prediction.models import Forecast
from prediction.page_context import forecast_context
from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.datasets.models import Dataset
from registry.labels import forecast_label
from registry.lib.export import CSV, EXCEL, EXPORT_FORMATS, export_table, render_csv, render_excel
from registry.lib.http import HtmxRequest, download_response, render_confirmation
from registry.lib.messages import translate_error
from registry.lib.request_values import read_id, read_text, read_uuids
from registry.model_versions.comparison import selected_versions
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

QUESTION = ("version", "store", "product", "horizon")  # what an address can ask
PER_PAGE = 25
ADD_FORECAST = "prediction.add_forecast"


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(ADD_FORECAST)
def forecast_create(request: HtmxRequest) -> HttpResponse:
    """Asks for a forecast. An address with a question shows the answer without saving it; a POST saves it."""
    dataset = asked_dataset(request)
    if dataset is None:
        return render(request, "prediction/forecast.html", {"form": None})
    form = read_form(request, dataset)
    if form.is_bound and form.is_valid():
        was_archived = form.cleaned_data["version"].is_archived
        is_kept = request.method == "POST"
        try:
            answer = form.save_forecast(request.user) if is_kept else form.question.compute()
        except (ValueError, CorruptArtifact) as problem:
            form.add_error(None, translate_error(problem))
        else:
            news = restored_message(answer.version) if was_archived else ""
            return show_saved(request, answer, news) if is_kept else show_computed(request, answer, news)
    if request.htmx:
        fragment = render(request, "prediction/forecast.html#form", {"form": form})
        return reswap(retarget(fragment, "#forecast-form"), "outerHTML")
    known = form if ready_versions(dataset).exists() else None
    return render(request, "prediction/forecast.html", {"form": known})


def asked_dataset(request: HttpRequest) -> Dataset | None:
    """The dataset that the page is about; of a form that was sent, the one that it names."""
    chosen = chosen_dataset(request)
    number = read_id(request.POST.get("dataset"))
    if number is not None:
        is_chosen = chosen is not None and chosen.pk == number
        return chosen if is_chosen else Dataset.objects.filter(pk=number).first() or chosen
    versions = selected_versions([request.POST.get("version", "")])
    return versions[0].model.dataset if versions else chosen


def read_form(request: HttpRequest, dataset: Dataset) -> ForecastForm:
    """The form as it was sent, as an address fills it in, or empty."""
    if request.method == "POST":
        return ForecastForm(dataset, request.POST)
    given: dict[str, Any] = {
        name: read_text(request.GET, name, 300) for name in QUESTION if name in request.GET
    }
    if "level" in request.GET:
        given["level"] = request.GET.getlist("level")
    return ForecastForm(dataset, {"horizon": DAYS_AHEAD, **given} if given else None)


def show_saved(request: HtmxRequest, made: Forecast, news: str) -> HttpResponse:
    """The saved forecast: as a fragment for htmx, otherwise by a redirect to its page."""
    address = reverse("forecast-detail", args=[made.pk])
    if not request.htmx:
        if news:
            messages.info(request, news)
        return redirect(address)
    context = {**forecast_context(made, made.fresh_content), "form": form_for(made), "news": news}
    return push_url(render(request, "prediction/forecast.html#result", context), address)


def show_computed(request: HtmxRequest, computed: Forecast, news: str) -> HttpResponse:
    """The page, CSV or Excel of a forecast that nobody has saved."""
    kind, content = request.GET.get("export"), computed.fresh_content
    if kind in EXPORT_FORMATS and content is not None:
        return download_forecast(computed, content, kind)
    context = forecast_context(computed, content, read_others(request), read_text(request.GET, "all"))
    return render(request, "prediction/forecast.html", {**context, "form": form_for(computed), "news": news})


def restored_message(row: Forecast | ModelVersion) -> str:
    """The message shown when a file was restored from the archive."""
    return _("%(name)s was in the archive and has been restored.") % {"name": row}


def read_others(request: HttpRequest) -> list[str]:
    """The ids of the versions to compare with."""
    return [str(one) for one in read_uuids(request.GET, "with")]


@require_safe
def forecast_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A saved forecast, with the form for the next one folded in."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    was_archived = found.is_archived
    shown = forecast_context(found, None, read_others(request), read_text(request.GET, "all"))
    context = {"form": form_for(found), **shown}
    if was_archived and not found.is_archived:
        context["news"] = restored_message(found)
    return render(request, "prediction/forecast.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def forecast_delete(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then deletes the forecast with its file."""
    found = get_object_or_404(Forecast, pk=pk)
    if found.source == Forecast.Source.SERVER:
        messages.error(request, _("The server replaces this forecast by itself: it need not be deleted."))
        return redirect("forecast-detail", pk)
    require(found.may_delete(request.user), "prediction.delete_forecast")
    name = forecast_label(found)
    if found.pinned:
        messages.error(request, _("%(name)s is pinned: unpin it first.") % {"name": name})
        return redirect("forecast-detail", pk)
    if request.method == "POST":
        messages.success(request, _("Deleted the forecast of %(name)s and its file.") % {"name": name})
        found.remove(by=request.user)
        return redirect("history")
    sentence = _("The forecast of %(name)s and its file will be deleted permanently.") % {"name": name}
    back = reverse("forecast-detail", args=[pk])
    return render_confirmation(request, _("Delete this forecast?"), sentence, _("Yes, delete it"), back)


@require_safe
def forecast_csv(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The days of a forecast as CSV, one row a day."""
    return download_saved(request, pk, CSV)


@require_safe
def forecast_excel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A forecast as an Excel workbook: days, summary, stores, products, and the days for programs."""
    return download_saved(request, pk, EXCEL)


def download_saved(request: HttpRequest, pk: UUID, kind: str) -> HttpResponse:
    """The forecast as a download; redirects to its page with a message if its file cannot be read."""
    found = get_object_or_404(Forecast.objects.with_names(), pk=pk)
    try:
        content = found.load_content()
    except (ValueError, CorruptArtifact) as problem:
        messages.error(request, translate_error(problem))
        return redirect("forecast-detail", pk)
    return download_forecast(found, content, kind)


def download_forecast(forecast: Forecast, content: ForecastContent, kind: str) -> HttpResponse:
    """The days as CSV, or all of it as a workbook."""
    if kind == CSV:
        written = render_csv(day_table(forecast, content), with_bom=False)
    else:
        written = render_excel(build_sheets(forecast, content))
    return download_response(written, f"forecast_{forecast.version.name}_{forecast.origin}.{kind}")


@require_safe
def forecast_list(request: HtmxRequest) -> HttpResponse:
    """The dataset's forecasts, newest first, as a page, CSV or Excel."""
    wanted = {name: read_text(request.GET, name) for name in ("q", "who")}
    mine, dataset = request.user if wanted["who"] == "me" else None, chosen_dataset(request)
    place = str(dataset.pk) if dataset else ""
    found = Forecast.objects.ready().filter_matching(wanted["q"], place, mine).with_names()
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("forecasts", kind, forecast_list_table(found))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = compare_with_actuals(list(page.object_list))
    context = {"page": page, "rows": rows, "wanted": wanted}
    return render(request, "prediction/history.html", context)
