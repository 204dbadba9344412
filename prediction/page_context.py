"""Template context of a forecast's page: its content, or one sentence when its file is damaged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_noop

from prediction.accuracy import measure_actuals
from prediction.breakdown import round_to_total
from prediction.chart import chart_of, load_sold_days
from prediction.comparison import MAX_COMPARED, comparable_versions, compare_versions
from prediction.content import ForecastContent
from prediction.models import Forecast
from prediction.narrative import build_sentences
from registry.datasets.actuals import current_by_dataset
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
    dataset = forecast.version.model.dataset_id
    newest = current_by_dataset([dataset]).get(dataset)
    sold = load_sold_days(forecast, newest)
    return {
        "forecast": forecast,
        "content": content,
        "days": add_dates(content, sold),
        "parts": build_part_tables(content),
        "week": name_weekdays(content.analysis.weekly),
        "digits": choose_decimals(content.analysis.total),
        "sentences": build_sentences(content),
        "rivals": known,
        "compared": compared,
        "slots": [*[one.version.pk for one in compared], *[None] * MAX_COMPARED][:MAX_COMPARED],
        "chart": chart_of(forecast, content, compared, sold),
        "sold": sold,
        "since": measure_actuals(forecast, newest),
    }


def add_dates(content: ForecastContent, sold: dict[str, float]) -> list[dict[str, Any]]:
    """The rows of the table of days: `day` is a date; the `shown` units add up to the total.

    `sold`: units by ISO day; a day without them has None.
    """
    days, total = content.forecast, content.analysis.total
    rounded = round_to_total([day.mean for day in days], total, choose_decimals(total))
    return [
        {**day.to_json(), "day": date.fromisoformat(day.date), "shown": value, "sold": sold.get(day.date)}
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
