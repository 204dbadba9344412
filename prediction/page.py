"""What a forecast's page shows: the saved content, or one sentence when its file is damaged."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext_noop

from prediction.models import Forecast
from registry.artifacts import CorruptArtifact

ASSUMED = [
    gettext_noop("weekday habit"),
    gettext_noop("last known"),
    gettext_noop("average"),
]  # of the encoder


def shown(forecast: Forecast) -> dict[str, Any]:
    """Template context: the forecast with its content, days as dates, weekdays; or a `problem`."""
    try:
        content = forecast.content()
    except (CorruptArtifact, ValueError) as problem:
        return {"forecast": forecast, "problem": str(problem)}
    days = [{**day, "day": date.fromisoformat(day["date"])} for day in content["forecast"]]
    return {"forecast": forecast, "content": content, "days": days, "chart": chart_data(content)}


def chart_data(content: dict[str, Any]) -> dict[str, Any]:
    """The part of the content that the chart reads."""
    return {name: content[name] for name in ("origin", "history", "test", "forecast")}


def recent(content: dict[str, Any], past: int, ahead: int) -> dict[str, Any]:
    """Chart data of only the newest days, for the overview."""
    chart = chart_data(content)
    return {**chart, "history": chart["history"][-past:], "forecast": chart["forecast"][:ahead]}
