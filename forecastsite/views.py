"""Pages that read both training and forecasts: the overview and the list of models."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe
from django_htmx.http import reswap, retarget

from forecastsite.help import READERS, written
from forecastsite.leaderboard import Leaderboard
from forecastsite.overview import LOOKED_AT, attention, chart_of, chief, steps_done
from prediction.accuracy import looked_back
from prediction.models import Forecast
from registry.datasets.models import Dataset
from registry.lib import export
from registry.lib.http import Request
from registry.model_versions.models import ModelVersion
from training.models import TrainingRun

PER_PAGE = 25
RECENT = 6  # forecasts on the overview


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """What needs attention, what runs, what comes; the first steps on a new installation."""
    forecasts = list(Forecast.objects.ready().with_names()[:LOOKED_AT])
    looked, newest = looked_back(forecasts), chief(forecasts)
    runs = TrainingRun.objects.select_related("dataset_version__dataset")
    best = (
        newest.version if newest else ModelVersion.objects.in_use().select_related("model__dataset").first()
    )
    context = {
        "attention": attention(looked),
        "active": runs.exclude(state__in=TrainingRun.ENDED)[:5],
        "rows": looked[:RECENT],
        "best": best,
        "dataset": Dataset.objects.order_by("-created_at").first(),
        "steps": steps_done(),
        **chart_of(newest),
    }
    return render(request, "overview.html", context)


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """All versions, best first, and the trainings that failed after them; also as CSV and Excel."""
    board = Leaderboard(request.GET)
    if (kind := request.GET.get("export")) in export.KINDS:
        return export.exported("models", kind, board.table())
    page: Page[dict[str, Any]] = Paginator(board, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "models/list.html", {"page": page, "board": board})


def forbidden(request: Request, exception: Exception) -> HttpResponse:
    """One sentence that names the role needed; for a fragment of a page, where its messages are."""
    if not request.htmx:
        return render(request, "403.html", {"exception": str(exception)}, status=403)
    messages.error(request, str(exception))
    said = render(request, "_messages.html", status=403)
    return reswap(retarget(said, "#messages"), "outerHTML")


@require_safe
def help_page(request: HttpRequest, who: str = "buyer") -> HttpResponse:
    """A page of docs/ in the reader's language, in English where there is no translation."""
    if who not in READERS:
        raise Http404
    context = {"who": who, "readers": READERS, "content": written(who, get_language() or "en")}
    return render(request, "help.html", context)
