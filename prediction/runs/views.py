"""Pages of forecast runs: the list, one run, its downloads, and which one is current."""

from __future__ import annotations

from datetime import timedelta
from math import isnan
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from prediction.chart import chart_of, load_sold_days
from prediction.current_forecast import HORIZON, read_content
from prediction.overrides.forms import override_url
from prediction.overrides.trail import show_trail
from prediction.runs.change_view import show_changes
from prediction.runs.current import may_be_current, may_go_back, promote_run, roll_back
from prediction.runs.exports import open_table, series_table, stream_csv_parts
from prediction.runs.listing import RunTable, SeriesQuery, list_spans, list_values, load_table
from prediction.runs.models import ForecastRun
from registry.access.permissions import permission_required, require
from registry.datasets.chosen import chosen_dataset
from registry.lib.downloads import costly_download
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.formatting import DASH, change_text
from registry.lib.http import download_response, render_confirmation
from registry.lib.messages import translate_error
from registry.model_versions.in_use import version_in_use
from registry.series.paths import Rows
from registry.storage.artifacts import CorruptArtifact
from registry.templatetags.pages import forecast_url

PAGE_SIZE = 50
ADD, CHANGE = "prediction.add_forecastrun", "prediction.change_forecastrun"


@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    """The runs of the dataset, newest first."""
    dataset = chosen_dataset(request)
    runs = ForecastRun.objects.of_dataset(dataset).select_related("totals").prefetch_related("current_rows")
    page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
    is_going = any(run.is_going for run in page.object_list)
    context = {"page": page, "is_going": is_going, "has_version": dataset and version_in_use(dataset)}
    return render(request, "prediction/runs.html", context)


@require_POST
@permission_required(ADD)
def run_create(request: HttpRequest) -> HttpResponse:
    """Queues a run of everything by the version in use on the newest sales."""
    dataset = chosen_dataset(request)
    version = version_in_use(dataset) if dataset else None
    if dataset is None or dataset.current_version is None or version is None:
        messages.error(request, _("A forecast needs a trained model. Train one first."))
        return redirect("products-runs")
    user: Any = request.user
    run = ForecastRun(version=version, dataset_version=dataset.current_version, horizon=HORIZON)
    run.created_by = user
    return redirect("products-run", run.queue().pk)


@require_safe
def run_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A run: totals, and its series as the address filters, sums and sorts them; also as CSV and Excel."""
    run = find_run(pk)
    if run.stage != run.Stage.DONE:
        return render(request, "prediction/run.html", {"run": run})
    query = SeriesQuery.from_address(request.GET, run.horizon)
    try:
        run.ensure_local()
        table = load_table(run)
        rows = table.find(query)
        if (kind := request.GET.get("export")) in EXPORT_FORMATS:
            return export_table("series", kind, series_table(run, table, query, rows))
        page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
        series = list_series(run, table, query, page)
        context = {"run": run, "query": query, "page": page, **series, **list_choices(run, table, query)}
        context["total"], context["range"] = table.total(run, query, rows)
        context |= {"model_total": sum_model(table, query, rows), "override_address": address_of(run, query)}
        if request.headers.get("HX-Target") == "series":
            return render(request, "prediction/run.html#series", context)
        context["changes"], context["overrides"] = show_changes(run, query), show_trail(run)
        return render(request, "prediction/run.html", {**context, **show_totals(run)})
    except (CorruptArtifact, ValueError) as problem:
        return render(request, "prediction/run.html", {"run": run, "problem": translate_error(problem)})


def find_run(pk: UUID) -> ForecastRun:
    """The run with the rows that its page names; 404 without one."""
    related = ("version__model__dataset", "dataset_version__dataset", "created_by", "sums", "totals")
    return get_object_or_404(ForecastRun.objects.select_related(*related), pk=pk)


def list_series(run: ForecastRun, table: RunTable, query: SeriesQuery, page: Any) -> dict[str, Any]:
    """The series of one page as its rows show them."""
    rows = np.asarray(page.object_list, np.intp)
    model = table.model_units(query, rows)
    alone = [None] * len(rows) if model is None else model.tolist()
    units, changes = table.units(query, rows).tolist(), table.change(rows).tolist()
    columns = zip(rows.tolist(), alone, units, changes, table.ranges(run, query, rows), strict=True)
    found = [
        {
            "address": forecast_url(
                store=table.sums.stores[row], product=table.sums.products[row], horizon=run.horizon
            ),
            "labels": table.labels[row],
            "model": model_units,
            "units": units,
            "range": ends,
            "change": DASH if isnan(change) else change_text(change),
        }
        for row, model_units, units, change, ends in columns
    ]
    return {"rows": found}


def sum_model(table: RunTable, query: SeriesQuery, rows: Rows) -> float | None:
    """Units of all rows before people changed the forecast; None for a run without overrides."""
    model = table.model_units(query, rows)
    return None if model is None else float(model.sum(dtype=np.float64))


def address_of(run: ForecastRun, query: SeriesQuery) -> str:
    """The form that changes what is shown; empty if it has no name, or the run is not the current one."""
    if query.words or run.first_day is None or not run.is_current:
        return ""
    first, last = (run.first_day + timedelta(days=day - 1) for day in (query.first, query.last))
    groups = [str(group) for group in query.groups]
    return override_url(store=query.store, level=groups, first=first.isoformat(), last=last.isoformat())


def list_choices(run: ForecastRun, table: RunTable, query: SeriesQuery) -> dict[str, Any]:
    """What the filters and the heading offer."""
    stores = dict(zip(table.sums.stores, (label for label, _product in table.labels), strict=True))
    return {
        "stores": list(stores.items()),
        "levels": list_values(table.levels, query.groups),
        "spans": list_spans(run.horizon),
        "sorts": {name: query.next_sort(name) for name in ("item", "units", "change")},
        "may_be_current": may_be_current(run),
        "is_current": run.is_current,
        "may_go_back": may_go_back(run),
    }


def show_totals(run: ForecastRun) -> dict[str, Any]:
    """The total with its chart."""
    totals = run.totals
    content = read_content(totals).content
    sold = load_sold_days(totals, run.dataset_version.dataset.current_version)
    return {"forecast": totals, "chart": chart_of(totals, content, [], sold), "content": content}


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required(CHANGE)
def run_promote(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for a reason, then makes the run the current one."""
    run, problem = find_run(pk), ""
    if request.method == "POST":
        try:
            promote_run(run, request.POST.get("reason", ""), signed_in_user(request))
        except ValueError as refusal:
            problem = str(refusal)
        else:
            messages.success(request, _("This is the current forecast now."))
            return redirect("products-run", pk)
    return render(request, "prediction/run_promote.html", {"run": run, "problem": problem})


@require_POST
@permission_required(CHANGE)
def run_roll_back(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Makes the run before this one the current one again."""
    try:
        earlier = roll_back(find_run(pk), signed_in_user(request))
    except ValueError as problem:
        messages.error(request, str(problem))
        return redirect("products-run", pk)
    messages.success(request, _("This is the current forecast again."))
    return redirect("products-run", earlier.pk)


def signed_in_user(request: HttpRequest) -> AbstractBaseUser | None:
    """The person, for the audit log."""
    return request.user if isinstance(request.user, AbstractBaseUser) else None


@require_http_methods(["GET", "HEAD", "POST"])
def run_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks for confirmation, then deletes the run with its files."""
    run = find_run(pk)
    if blocker := run.removal_blocker():
        messages.error(request, blocker)
        return redirect("products-run", pk)
    require(run.may_delete(request.user), "prediction.delete_forecastrun")
    if request.method == "POST":
        run.remove(by=signed_in_user(request))
        messages.success(request, _("Deleted the forecast and its files."))
        return redirect("products-runs")
    sentence = _("The forecast of every product and store and its files will be deleted permanently.")
    back = reverse("products-run", args=[pk])
    return render_confirmation(request, _("Delete this forecast?"), sentence, _("Yes, delete it"), back)


@require_safe
@costly_download
def run_file(request: HttpRequest, pk: UUID, kind: str) -> Any:
    """The whole table as parquet or CSV, streamed."""
    run = find_run(pk)
    try:
        if not run.is_done:
            raise ValueError(_("This forecast is not finished."))
        stream = open_table(run)
    except (CorruptArtifact, FileNotFoundError, ValueError) as problem:
        messages.error(request, translate_error(problem))
        return redirect("products-run", pk)
    parts = stream if kind == "parquet" else stream_csv_parts(stream)
    return download_response(parts, f"forecast_{run.version.name}_{run.origin}.{kind}")
