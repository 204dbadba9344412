"""What a forecast's page shows: the saved content, or one sentence when its file is damaged."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_noop

from prediction.accuracy import compare_with_actuals
from prediction.breakdown import round_to_total
from prediction.comparison import MAX_COMPARED, comparable_versions, compare_versions
from prediction.models import Forecast
from prediction.narrative import build_sentences
from registry.lib.messages import translate_message
from registry.storage.artifacts import CorruptArtifact

ASSUMPTION_LABELS = [
    gettext_noop("weekday habit"),
    gettext_noop("last known"),
    gettext_noop("average"),
]  # of the encoder


def forecast_context(forecast: Forecast, others: list[str] | None = None) -> dict[str, Any]:
    """Template context: the forecast with content, days, parts, sentences, rivals; or a `problem`.

    `others` are the ids of versions to compare with, as the address gives them.
    """
    try:
        content = forecast.load_content()
    except (CorruptArtifact, ValueError) as problem:
        return {"forecast": forecast, "problem": translate_message(str(problem))}
    known = list(comparable_versions(forecast)[:100])
    beside = compare_versions(forecast, [version for version in known if str(version.pk) in (others or [])])
    chart = chart_data(content) | {"compare": [build_chart_line(one) for one in beside if "days" in one]}
    return {
        "forecast": forecast,
        "content": content,
        "days": add_dates(content),
        "parts": build_part_tables(content),
        "week": name_weekdays(content["analysis"].get("weekly") or []),
        "digits": choose_decimals(content["analysis"]["total"]),
        "sentences": build_sentences(content),
        "rivals": known,
        "compared": beside,
        "slots": [*[one["version"].pk for one in beside], *[None] * MAX_COMPARED][:MAX_COMPARED],
        "chart": chart,
        "since": compare_with_actuals([forecast])[0][1],
    }


def add_dates(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The days with a real date, and units rounded so that the days add up to the total."""
    days, total = content["forecast"], content["analysis"]["total"]
    rounded = round_to_total([day["mean"] for day in days], total, choose_decimals(total))
    return [
        {**day, "day": date.fromisoformat(day["date"]), "shown": value}
        for day, value in zip(days, rounded, strict=True)
    ]


def name_weekdays(weekly: list[float | None]) -> list[tuple[Any, float]]:
    """The weekdays that are forecast, by name, with what a usual one sells."""
    return [(WEEKDAYS_ABBR[day], value) for day, value in enumerate(weekly) if value is not None]


def choose_decimals(total: float) -> int:
    """Decimals of the numbers that add up to this total: none where nobody would miss them."""
    return 0 if total >= 100 else 1


def build_part_tables(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The breakdown by store and by product, as far as there is one, rounded so that the parts add up."""
    total = content["analysis"]["total"]
    digits = choose_decimals(total)
    found = []
    for side, rows in content.get("breakdown", {}).items():
        rounded = round_to_total([row["total"] for row in rows], total, digits) if rows else []
        table = [
            {**row, "shown": value, "share": row["total"] / total if total else None}
            for row, value in zip(rows, rounded, strict=True)
        ]
        if rows:
            found.append({"side": side, "rows": table, "total": round(total, digits), "digits": digits})
    return found


def build_chart_line(one: dict[str, Any]) -> dict[str, Any]:
    """What the chart draws of a compared version: its name and its forecast window only."""
    return {"name": one["version"].name, "days": one["days"]}


def chart_data(content: dict[str, Any]) -> dict[str, Any]:
    """The part of the content that the chart reads."""
    return {name: content[name] for name in ("origin", "history", "test", "forecast")}


def recent_chart_data(content: dict[str, Any], past: int, ahead: int) -> dict[str, Any]:
    """Chart data of only the newest days, for the overview."""
    chart = chart_data(content)
    return {**chart, "history": chart["history"][-past:], "forecast": chart["forecast"][:ahead]}
