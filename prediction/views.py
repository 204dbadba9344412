"""Pages that make, show, list and delete forecasts."""

from __future__ import annotations

import csv
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import push_url, retarget

from prediction.forms import ForecastForm
from prediction.models import Forecast
from prediction.page import shown
from registry.artifacts import CorruptArtifact
from registry.web import Request

KEPT = ("version", "store", "product", "horizon")
COLUMNS = ("date", "mean", "q0.025", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.975")
PER_PAGE = 25


@require_http_methods(["GET", "HEAD", "POST"])
def forecast(request: Request) -> HttpResponse:
    """The form; a valid one is forecast at once and shown below it."""
    given = {name: request.GET[name] for name in KEPT if name in request.GET}
    form = ForecastForm(request.POST) if request.method == "POST" else ForecastForm(initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            made = form.make(request.user)
        except (ValueError, CorruptArtifact) as problem:
            form.add_error(None, str(problem))
        else:
            return result(request, made)
    if request.htmx:
        return retarget(render(request, "prediction/_form.html", {"form": form}), "#forecast-form")
    return render(request, "prediction/forecast.html", {"form": form})


def result(request: Request, made: Forecast) -> HttpResponse:
    """The finished forecast: as a fragment for htmx, else its own page."""
    address = reverse("forecast-detail", args=[made.pk])
    if not request.htmx:
        return redirect(address)
    return push_url(render(request, "prediction/_forecast.html", shown(made)), address)


@require_safe
def choices(request: HttpRequest) -> HttpResponse:
    """The suggestions of the chosen version."""
    form = ForecastForm(initial={"version": request.GET.get("version")})
    return render(request, "prediction/_codes.html", {"form": form})


@require_safe
def forecast_detail(request: HttpRequest, pk: UUID) -> HttpResponse:
    """One saved forecast, with the form above it to make the next."""
    found = get_object_or_404(Forecast.objects.select_related("version__model__dataset", "created_by"), pk=pk)
    given = {name: getattr(found, name) for name in KEPT}
    return render(request, "prediction/forecast.html", {"form": ForecastForm(initial=given), **shown(found)})


@require_http_methods(["GET", "HEAD", "POST"])
def forecast_delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Asks, then deletes the forecast with its file."""
    found = get_object_or_404(Forecast, pk=pk)
    if request.method == "POST":
        messages.success(request, _("Deleted the forecast of %(name)s and its file.") % {"name": found.label})
        found.remove()
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
    found = get_object_or_404(Forecast.objects.select_related("version__model"), pk=pk)
    try:
        days = found.content()["forecast"]
    except (ValueError, CorruptArtifact) as problem:
        messages.error(request, str(problem))
        return redirect("forecast-detail", pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"forecast_{found.version.name}_{found.origin}.csv"
    response["Content-Disposition"] = f'attachment; filename="{ascii_name(name)}"'
    rows = csv.writer(response)
    rows.writerow(["store_id", "product_id", *COLUMNS])
    codes = [guarded(found.store), guarded(found.product)]
    rows.writerows([[*codes, *(day.get(c) for c in COLUMNS)] for day in days])
    return response


def guarded(text: str) -> str:
    """A code that a spreadsheet cannot take for a formula.

    >>> guarded("=1+1"), guarded("P001")
    ("'=1+1", 'P001')
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def ascii_name(text: str) -> str:
    """A file name without anything a header or a file system could misread.

    >>> ascii_name('kan_product_药/"1".csv')
    'kan_product____1_.csv'
    """
    return "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in text)


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Every forecast, newest first."""
    found = Forecast.objects.ready()
    if wanted := request.GET.get("q", "").strip():
        found = found.filter(product__icontains=wanted) | found.filter(store__icontains=wanted)
    found = found.select_related("version__model__dataset", "created_by").order_by("-created_at")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "prediction/history.html", {"page": page, "q": wanted})
