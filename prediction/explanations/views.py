"""The page that explains a forecast."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from prediction.explanations.content import Explanation
from prediction.explanations.question import WhyQuestion
from prediction.explanations.wording import build_why_sentences, list_days, list_parts, parts_table, why_chart
from prediction.forecast_page.answer import heading_context
from prediction.forecast_page.tabs import WHY, asked_forecast, list_tabs
from prediction.models import Forecast
from registry.access.permissions import permission_required
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact


@require_safe
def forecast_why(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What the inputs do in a saved forecast."""
    return show_why(request, get_object_or_404(Forecast.objects.with_names(), pk=pk))


@require_safe
@permission_required("prediction.add_forecast")
def forecast_asked_why(request: HttpRequest) -> HttpResponse:
    """The same of a forecast that an address asks for; a wrong question goes back to its page."""
    asked = asked_forecast(request)
    if asked is None:
        return redirect(f"{reverse('forecast')}?{request.GET.urlencode()}")
    return show_why(request, asked)


def show_why(request: HttpRequest, forecast: Forecast) -> HttpResponse:
    """The page, or its table as a file."""
    question = WhyQuestion(forecast.version, forecast.dataset_version, forecast.selection, forecast.horizon)
    context: dict[str, Any] = {**heading_context(forecast), "tabs": list_tabs(forecast, WHY)}
    try:
        found = question.find()
    except (ValueError, CorruptArtifact) as problem:
        return render(request, "prediction/why.html", {**context, "problem": translate_error(problem)})
    if not isinstance(found, Explanation):
        return render(
            request, "prediction/why.html", {**context, "due": found.is_due, "problem": found.problem_text}
        )
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table(f"why_{forecast.version.name}_{forecast.origin}", kind, parts_table(found))
    context |= {"explanation": found, "parts": list_parts(found), "chart": why_chart(found)}
    context["days"] = list_days(found)
    return render(request, "prediction/why.html", {**context, "sentences": build_why_sentences(found)})
