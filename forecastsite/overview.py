"""What the overview gathers: everything in one dataset, by its version in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from forecastsite.attention import (
    CheckedForecasts,
    Watched,
    attention_items,
    list_datasets,
    list_open_runs,
    list_other_datasets,
)
from forecastsite.verification.attention import installation_items
from forecastsite.welcome import SAMPLE_NAME, welcome_context
from prediction.accuracy.so_far import measure_actuals
from prediction.chart import recent_chart_data
from prediction.current_forecast import CurrentState, load_current
from prediction.items.forecasts import ItemForecast
from prediction.models import Forecast
from registry.access.permissions import Person
from registry.datasets.models import Dataset
from registry.labels import skill_score
from registry.lib.formatting import format_decimal, format_percent
from registry.model_versions.models import ModelVersion

PAST_DAYS, AHEAD_DAYS = 56, 28  # days on the chart: eight weeks behind, four ahead
CHECKED_FORECASTS = 12  # newest forecasts that are compared with actual sales
RECENT_FORECASTS = 6
MAX_CHANGES = 6
MAX_ACTIVE = 5


def overview_context(dataset: Dataset | None, user: Person) -> dict[str, Any]:
    """Everything on the overview of a dataset; nearly nothing on that of an empty installation."""
    if dataset is None:
        return {"state": CurrentState(), "welcome": welcome_context()}
    state, datasets = load_current(dataset), list_datasets()
    checked = check_forecasts(dataset)
    by_people = [pair for pair in checked if pair[0].source != Forecast.Source.SERVER]
    runs = list_open_runs()
    mine = [run for run in runs if run.dataset_version.dataset_id == dataset.pk]
    watched = Watched([run for run in mine if run.has_ended], checked, state.items)
    is_newcomer = state.forecast is None or {row.name for row in datasets} <= {SAMPLE_NAME}
    return {
        "dataset": dataset,
        "state": state,
        "welcome": welcome_context() if is_newcomer else None,
        "attention": [*attention_items(dataset, watched, user), *installation_items(user)],
        "others": list_other_datasets(datasets, dataset, runs),
        "active": [run for run in mine if not run.has_ended][:MAX_ACTIVE],
        "rows": by_people[:RECENT_FORECASTS],
        **headline_context(state),
    }


def check_forecasts(dataset: Dataset) -> CheckedForecasts:
    """The newest forecasts of the dataset, by people and by the server, with what was sold since."""
    rows = Forecast.objects.ready().filter(dataset_version__dataset=dataset).with_names()
    return [(row, measure_actuals(row, dataset.current_version)) for row in rows[:CHECKED_FORECASTS]]


def headline_context(state: CurrentState) -> dict[str, Any]:
    """Tiles, chart and biggest changes from the server's own forecast."""
    found: dict[str, Any] = {}
    if state.version is not None:
        found["error_trend"] = describe_error(state.version)
    if state.forecast is not None and state.content is not None:
        found |= {
            "newest": state.forecast,
            "analysis": state.content.analysis,
            "chart": recent_chart_data(state.content, PAST_DAYS, AHEAD_DAYS),
            "changes": biggest_changes(state.items.get("products", [])),
        }
    return found


def describe_error(version: ModelVersion) -> dict[str, Any]:
    """How the error compares with the version used before, else with repeating last week."""
    before = version.model.previous_version
    if before is not None and are_comparable(version, before):
        points = 100 * ((version.wape or 0.0) - (before.wape or 0.0))
        words = {"points": format_decimal(abs(points), 1), "title": before.title}
        if abs(points) < 0.05:
            return {"text": _("as good as %(title)s before") % words}
        if points < 0:
            return {"sign": "down", "text": _("%(points)s points better than %(title)s before") % words}
        return {"sign": "up", "text": _("%(points)s points worse than %(title)s before") % words}
    return {"text": describe_skill(skill_score(version.metrics))}


def describe_skill(better: float | None) -> str:
    """The error against that of repeating last week."""
    if better is None:
        return _("on days the model had not seen")
    if abs(better) < 0.005:
        return _("as good as repeating last week")
    words = {"change": format_percent(abs(better), 0)}
    if better > 0:
        return _("%(change)s lower than repeating last week") % words
    return _("%(change)s higher than repeating last week") % words


def are_comparable(version: ModelVersion, other: ModelVersion) -> bool:
    """Whether both were tested on the same days."""
    days, other_days = list_test_days(version), list_test_days(other)
    return bool(days) and days == other_days and version.horizon == other.horizon


def list_test_days(version: ModelVersion) -> list[Any]:
    """The days from which the tests forecast; empty without a score."""
    windows = version.metrics.get("windows") or []
    return [window.get("origin") for window in windows] if version.wape is not None else []


def biggest_changes(products: Sequence[ItemForecast]) -> list[dict[str, Any]]:
    """Products on sale whose units change most against last year, or the days before if that is unknown."""
    products = [item for item in products if "idle" not in item.flags]
    is_yearly = any(item.change_last_year is not None for item in products)
    then = "last_year" if is_yearly else "before"
    changes = [(item, getattr(item, f"change_{then}"), getattr(item, then)) for item in products]
    known = [(item, change, units) for item, change, units in changes if change is not None]
    known.sort(key=lambda row: abs(row[0].expected - row[2]), reverse=True)
    rows = known[:MAX_CHANGES]
    return [{"item": item, "change": change, "yearly": is_yearly} for item, change, _units in rows]
