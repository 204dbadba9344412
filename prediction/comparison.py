"""Forecasts of the same days by other model versions, to see how far they agree."""

from __future__ import annotations

from dataclasses import dataclass, field

from prediction.content import DayMean
from prediction.content_builder import forecast_days
from prediction.engine import run_forecast
from prediction.forecast_page.version_choice import covering_scopes, ready_versions
from prediction.models import Forecast
from registry.lib.messages import translate_error
from registry.model_versions.models import ModelVersion, ModelVersionQuerySet

MAX_COMPARED = 2  # versions beside the forecast's own: a chart with more than three lines is unreadable


@dataclass(frozen=True)
class ComparedForecast:
    """What another version expects of a forecast's days, or the `problem` that kept it from forecasting."""

    version: ModelVersion
    problem: str = ""
    total: float | None = None
    low: float | None = None
    high: float | None = None
    change: float | None = None  # of the total, relative to the forecast's
    days: list[DayMean] = field(default_factory=list)


def comparable_versions(forecast: Forecast) -> ModelVersionQuerySet:
    """Other versions that learned the same sales, best first."""
    covering = covering_scopes(forecast.coverage)
    found = ready_versions(forecast.version.model.dataset).exclude(pk=forecast.version_id)
    return found.filter(covering).best_first()


def compare_versions(forecast: Forecast, versions: list[ModelVersion]) -> list[ComparedForecast]:
    """What the first MAX_COMPARED of the versions expect of the forecast's days."""
    return [forecast_same_days(forecast, version) for version in versions[:MAX_COMPARED]]


def forecast_same_days(forecast: Forecast, version: ModelVersion) -> ComparedForecast:
    """What the version expects of the forecast's days, from the same sales."""
    try:
        outlook = run_forecast(version, forecast.coverage, forecast.horizon, forecast.dataset_version)
    except ValueError as problem:
        return ComparedForecast(version, problem=translate_error(problem))
    days = forecast_days(outlook, outlook.prediction.sum_rows(outlook.rows))
    total = round(sum(day.mean for day in days), 3)
    _expected, low, high = outlook.prediction.sum_with_interval(outlook.rows)
    change = total / forecast.total - 1 if forecast.total else None
    window = [DayMean(day.date, day.mean) for day in days]
    return ComparedForecast(version, total=total, low=low, high=high, change=change, days=window)
