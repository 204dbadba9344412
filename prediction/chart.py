"""What the chart of a forecast reads: its content, and what is known only when it is viewed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext

from prediction.comparison import ComparedForecast
from prediction.content import ForecastContent, rows_to_json
from prediction.models import Forecast
from registry.datasets.actuals import load_actuals
from registry.datasets.models import DatasetVersion
from registry.storage.artifacts import CorruptArtifact

LONG_HORIZON = 60  # days ahead above which a chart by weeks is easier to read
MAX_LINES = 3  # beside the forecast
MIN_WEEKLY_HORIZON = 14  # days ahead below which a chart by weeks shows nothing


def chart_of(
    forecast: Forecast, content: ForecastContent, compared: Iterable[ComparedForecast], sold: dict[str, float]
) -> dict[str, Any]:
    """The chart of a forecast's page. `sold`: units by ISO day since the origin."""
    lines = [chart_line(one) for one in compared if not one.problem]
    if content.model_total is not None and len(lines) < MAX_LINES:
        lines.append(model_line(content))
    return {
        **chart_data(content),
        "compare": lines,
        "sold": [{"date": day, "sales": units} for day, units in sold.items()],
        "tested": forecast.version.horizon,
    }


def chart_data(content: ForecastContent) -> dict[str, Any]:
    """The part of the content that the chart reads, and today."""
    return {
        "origin": content.origin,
        "today": timezone.localdate().isoformat(),
        "step": "week" if is_read_by_week(content) else "day",
        "history": rows_to_json(content.history),
        "test": rows_to_json(content.test),
        "forecast": rows_to_json(content.forecast),
        "weeks": rows_to_json(content.weeks),
        "events": rows_to_json(content.events),
    }


def recent_chart_data(content: ForecastContent, past: int, ahead: int) -> dict[str, Any]:
    """Chart data of the last `past` and the next `ahead` days, for the overview."""
    return chart_data(replace(content, history=content.history[-past:], forecast=content.forecast[:ahead]))


def chart_line(compared: ComparedForecast) -> dict[str, Any]:
    """The line of a compared version: its name and its days ahead."""
    return {"name": compared.version.title, "days": rows_to_json(compared.days)}


def model_line(content: ForecastContent) -> dict[str, Any]:
    """The line of the model before people changed the forecast."""
    days = [replace(day, mean=day.model_numbers[0] or 0.0, model=None) for day in content.forecast]
    return {"name": gettext("Model alone"), "days": rows_to_json(days)}


def is_read_by_week(content: ForecastContent) -> bool:
    """Whether weeks are the better first view: totals, whose shut Sundays make a comb, and long horizons."""
    days = len(content.forecast)
    is_total = any(len(parts) > 1 for parts in content.breakdown.values())
    return days > LONG_HORIZON or (is_total and days >= MIN_WEEKLY_HORIZON)


def load_sold_days(forecast: Forecast, data: DatasetVersion | None) -> dict[str, float]:
    """Units sold by ISO day on the forecast's days, as far as `data` knows them; empty for a damaged file."""
    if data is None or data.last <= forecast.origin:
        return {}
    first = forecast.origin + timedelta(days=1)
    last = min(data.last, forecast.origin + timedelta(days=forecast.horizon))
    try:
        units = load_actuals(data.pk).units_by_day(forecast.covered_codes, first, last)
    except (CorruptArtifact, ValueError):
        return {}
    days: list[date] = [first + timedelta(days=ahead) for ahead in range(len(units))]
    return {day.isoformat(): value for day, value in zip(days, units, strict=True) if value is not None}
