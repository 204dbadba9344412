"""Template context of a forecast's page: its content, or one sentence when its file is damaged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_noop

from prediction.accuracy import compare_with_actuals
from prediction.breakdown import round_to_total
from prediction.comparison import MAX_COMPARED, ComparedForecast, comparable_versions, compare_versions
from prediction.content import ForecastContent, rows_to_json
from prediction.models import Forecast
from prediction.narrative import build_sentences
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

ASSUMPTION_LABELS = [
    gettext_noop("weekday habit"),
    gettext_noop("last known"),
    gettext_noop("average"),
]  # the defaults that registry.series.covariates names


def forecast_context(
    forecast: Forecast, content: ForecastContent | None = None, others: Collection[str] = ()
) -> dict[str, Any]:
    """Content, days, parts, sentences and compared versions; or only a `problem`.

    Without `content` it is read from the forecast's file. `others`: ids of versions to compare with.
    """
    try:
        content = content or forecast.load_content()
    except (CorruptArtifact, ValueError) as problem:
        return {"forecast": forecast, "problem": translate_error(problem)}
    known = list(comparable_versions(forecast)[:100])
    compared = compare_versions(forecast, [version for version in known if str(version.pk) in others])
    lines = [chart_line(one) for one in compared if not one.problem]
    return {
        "forecast": forecast,
        "content": content,
        "days": add_dates(content),
        "parts": build_part_tables(content),
        "week": name_weekdays(content.analysis.weekly),
        "digits": choose_decimals(content.analysis.total),
        "sentences": build_sentences(content),
        "rivals": known,
        "compared": compared,
        "slots": [*[one.version.pk for one in compared], *[None] * MAX_COMPARED][:MAX_COMPARED],
        "chart": {**chart_data(content), "compare": lines},
        "since": compare_with_actuals([forecast])[0][1],
    }


def add_dates(content: ForecastContent) -> list[dict[str, Any]]:
    """The rows of the table of days: `day` is a date; the `shown` units add up to the total."""
    days, total = content.forecast, content.analysis.total
    rounded = round_to_total([day.mean for day in days], total, choose_decimals(total))
    return [
        {**day.to_json(), "day": date.fromisoformat(day.date), "shown": value}
        for day, value in zip(days, rounded, strict=True)
    ]


def name_weekdays(weekly: list[float | None]) -> list[tuple[Any, float]]:
    """The weekdays in the horizon, by name, with their mean."""
    return [(WEEKDAYS_ABBR[day], value) for day, value in enumerate(weekly) if value is not None]


def choose_decimals(total: float) -> int:
    """Decimals of numbers that add up to this total: none for large ones."""
    return 0 if total >= 100 else 1


def build_part_tables(content: ForecastContent) -> list[dict[str, Any]]:
    """A table for each side that was broken down, rounded so that its rows add up to the total."""
    total = content.analysis.total
    digits = choose_decimals(total)
    tables = []
    for side, parts in content.breakdown.items():
        if parts:
            rounded = round_to_total([part.total for part in parts], total, digits)
            rows = [
                {**part.to_json(), "shown": value, "share": part.total / total if total else None}
                for part, value in zip(parts, rounded, strict=True)
            ]
            tables.append({"side": side, "rows": rows, "total": round(total, digits), "digits": digits})
    return tables


def chart_line(compared: ComparedForecast) -> dict[str, Any]:
    """The line of a compared version: its name and its days ahead."""
    return {"name": compared.version.name, "days": rows_to_json(compared.days)}


def chart_data(content: ForecastContent) -> dict[str, Any]:
    """The part of the content that the chart reads."""
    return {
        "origin": content.origin,
        "history": rows_to_json(content.history),
        "test": rows_to_json(content.test),
        "forecast": rows_to_json(content.forecast),
    }


def recent_chart_data(content: ForecastContent, past: int, ahead: int) -> dict[str, Any]:
    """Chart data of the last `past` and the next `ahead` days, for the overview."""
    return chart_data(replace(content, history=content.history[-past:], forecast=content.forecast[:ahead]))
