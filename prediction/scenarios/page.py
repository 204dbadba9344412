"""Template contexts of the pages of scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS_ABBR

from prediction.content import ForecastContent
from prediction.forecast_page.answer import heading_context
from prediction.forecast_page.question import Question
from prediction.forecast_page.tabs import PLAN, list_question, list_tabs
from prediction.models import Forecast
from prediction.scenarios.forms import EditForm, NameForm
from prediction.scenarios.models import Scenario, ScenarioQuerySet
from prediction.scenarios.outcome import HISTORY_DAYS, Outcome
from prediction.scenarios.runner import is_quick
from prediction.scenarios.wording import (
    describe_alike,
    describe_edits,
    list_plan_days,
    list_warnings,
    plan_chart,
)
from registry.datasets.names import load_names
from registry.labels import forecast_title
from registry.lib.messages import translate_error
from registry.series.quantiles import INTERVALS
from registry.storage.artifacts import CorruptArtifact

PER_PAGE = 25


def new_context(forecast: Forecast, form: EditForm) -> dict[str, Any]:
    """The form for the first change of a forecast, with a chart of it where that takes a moment."""
    context = {**heading_context(forecast), "tabs": list_tabs(forecast, PLAN), "form": form}
    context["weekday_names"] = list(WEEKDAYS_ABBR.values())
    try:
        content = find_content(forecast)
    except (CorruptArtifact, ValueError) as problem:
        return {**context, "problem": translate_error(problem)}
    return context if content is None else {**context, "chart": base_chart(content)}


def find_content(forecast: Forecast) -> ForecastContent | None:
    """What is forecast: from its file, or worked out now; None where many series would take long."""
    if forecast.is_saved:
        return forecast.load_content()
    question = Question(forecast.version, forecast.selection, forecast.horizon)
    if is_quick(forecast.version, forecast.dataset_version, forecast.selection):
        return question.compute().fresh_content
    prepared = question.find_prepared()
    return prepared[1] if prepared else None


def base_chart(content: ForecastContent) -> dict[str, Any]:
    """What the chart of a plan reads before there is one: the model's numbers, as plans are tried on them."""
    low, high = INTERVALS["80"]
    numbers = [day.model_numbers for day in content.forecast]
    places = {"mean": 0, "low": 1 + low, "high": 1 + high}
    return {
        "history": [{"date": day.date, "units": day.sales} for day in content.history[-HISTORY_DAYS:]],
        "dates": [day.date for day in content.forecast],
        "base": {name: [own[place] for own in numbers] for name, place in places.items()},
        "plans": [],
    }


def scenario_context(
    request: HttpRequest, scenario: Scenario, form: EditForm | None = None
) -> dict[str, Any]:
    """A scenario with its changes, forms and, as soon as it is known, its outcome."""
    data, forecast = scenario.dataset_version, forecast_of(scenario)
    newest = data.dataset.current_version
    context: dict[str, Any] = {
        "scenario": scenario,
        "title": forecast_title(forecast),
        "question_query": urlencode(list_question(forecast)),
        "edits": describe_edits(scenario.list_edits(), data),
        "may_change": scenario.may_change(request.user),
        "may_delete": scenario.may_delete(request.user),
        "weekday_names": list(WEEKDAYS_ABBR.values()),
        "form": form or EditForm(data, scenario.selection, scenario.horizon),
        "name_form": NameForm({"name": scenario.name, "is_shared": scenario.is_shared}),
        "is_outdated": newest is not None and newest not in (data, scenario.adopted),
    }
    if scenario.content is None:
        return context
    outcome = Outcome.from_json(scenario.content)
    names = load_names(data)
    return context | {
        "outcome": outcome,
        "warnings": list_warnings(scenario, outcome),
        "alike": describe_alike(outcome)
        if any(edit.promotion or edit.price for edit in scenario.list_edits())
        else "",
        "days": list_plan_days(outcome),
        "chart": plan_chart([(scenario.name, outcome)]),
        "top": [
            (names.format_series(row.store, row.product), row, row.plan - row.base) for row in outcome.top
        ],
    }


def forecast_of(scenario: Scenario) -> Forecast:
    """The forecast that a scenario changes, not computed."""
    forecast = Forecast(version=scenario.version, dataset_version=scenario.dataset_version)
    forecast.horizon, forecast.selection = scenario.horizon, scenario.selection
    return forecast


def list_context(request: HttpRequest, found: ScenarioQuerySet) -> dict[str, Any]:
    """A page of scenarios."""
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "scenario": one,
            "title": forecast_title(forecast_of(one)),
            "edits": describe_edits(one.list_edits(), one.dataset_version),
            "sums": (one.content or {}).get("sums", {}),
        }
        for one in page.object_list
    ]
    return {"page": page, "rows": rows}


def compare_context(found: ScenarioQuerySet, wanted: Sequence[UUID]) -> dict[str, Any]:
    """The wanted scenarios whose outcome is known and that change the same forecast as the first of them."""
    place = {pk: number for number, pk in enumerate(wanted)}
    known = [one for one in found.filter(pk__in=wanted) if one.content is not None]
    known = sorted(known, key=lambda one: place[one.pk])
    alike = [one for one in known if is_same_forecast(one, known[0])]
    rows = [(one, Outcome.from_json(one.content or {})) for one in alike]
    context: dict[str, Any] = {"rows": rows, "left_out": len(wanted) - len(rows)}
    if rows:
        context["title"] = forecast_title(forecast_of(alike[0]))
        context["chart"] = plan_chart([(one.name, outcome) for one, outcome in rows])
        context["lines"] = [
            (one, outcome, describe_edits(one.list_edits(), one.dataset_version)) for one, outcome in rows
        ]
    return context


def is_same_forecast(one: Scenario, other: Scenario) -> bool:
    """Whether both change the same forecast."""
    facts = [(row.version_id, row.dataset_version_id, row.series, row.horizon) for row in (one, other)]
    return facts[0] == facts[1]
