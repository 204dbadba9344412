"""The pages of one forecast, and the forecast that an address asks for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from prediction.forecast_page.forms import ForecastForm
from prediction.models import Forecast
from registry.datasets.chosen import chosen_dataset

ANSWER, WHY, PLAN = "answer", "why", "plan"
# page -> its label, and its address for a saved forecast and for one that an address asks for
TABS = {
    ANSWER: (gettext_noop("Forecast"), "forecast-detail", "forecast"),
    WHY: (gettext_noop("Why"), "forecast-why", "forecast-asked-why"),
    PLAN: (gettext_noop("Try a plan"), "forecast-plan", "forecast-asked-plan"),
}


@dataclass(frozen=True)
class Tab:
    """A page of a forecast."""

    label: str
    address: str
    is_current: bool


def list_tabs(forecast: Forecast, current: str) -> list[Tab]:
    """The pages of a forecast."""
    return [
        Tab(_(label), tab_address(forecast, saved, asked), name == current)
        for name, (label, saved, asked) in TABS.items()
    ]


def tab_address(forecast: Forecast, saved: str, asked: str) -> str:
    """The address of a page: by the id of a saved forecast, else by its question."""
    if forecast.is_saved:
        return reverse(saved, args=[forecast.pk])
    return f"{reverse(asked)}?{urlencode(list_question(forecast))}"


def list_question(forecast: Forecast) -> list[tuple[str, str]]:
    """What an address asks for a forecast like this one."""
    asked = forecast.selection
    given = {"version": str(forecast.version_id), "product": asked.product, "store": asked.store}
    groups = [("level", str(group)) for group in asked.levels]
    return [
        *((name, text) for name, text in given.items() if text),
        *groups,
        ("horizon", str(forecast.horizon)),
    ]


def asked_forecast(request: HttpRequest) -> Forecast | None:
    """The forecast that the address asks for, not computed and not saved; None for a wrong question."""
    dataset = chosen_dataset(request)
    if dataset is None or dataset.current_version is None:
        return None
    names = [name for name in ("version", "store", "product", "horizon") if name in request.GET]
    given: dict[str, object] = {name: request.GET[name] for name in names}
    if "level" in request.GET:
        given["level"] = request.GET.getlist("level")
    form = ForecastForm(dataset, given)
    if not form.is_valid():
        return None
    question, data = form.question, dataset.current_version
    forecast = Forecast(version=question.version, dataset_version=data, horizon=question.horizon)
    forecast.selection, forecast.origin, forecast.created_at = question.selection, data.last, timezone.now()
    return forecast
