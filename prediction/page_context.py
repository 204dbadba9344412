"""What a forecast's page shows: the saved content, or one sentence when its file is damaged."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_noop

from prediction.accuracy import looked_back
from prediction.breakdown import apportion
from prediction.comparison import MOST, compared, rivals
from prediction.models import Forecast
from prediction.narrative import sentences
from registry.lib.messages import said
from registry.storage.artifacts import CorruptArtifact

ASSUMED = [
    gettext_noop("weekday habit"),
    gettext_noop("last known"),
    gettext_noop("average"),
]  # of the encoder


def shown(forecast: Forecast, others: list[str] | None = None) -> dict[str, Any]:
    """Template context: the forecast with content, days, parts, sentences, rivals; or a `problem`.

    `others` are the ids of versions to compare with, as the address gives them.
    """
    try:
        content = forecast.content()
    except (CorruptArtifact, ValueError) as problem:
        return {"forecast": forecast, "problem": said(str(problem))}
    known = list(rivals(forecast)[:100])
    beside = compared(forecast, [version for version in known if str(version.pk) in (others or [])])
    chart = chart_data(content) | {"compare": [lines(one) for one in beside if "days" in one]}
    return {
        "forecast": forecast,
        "content": content,
        "days": with_dates(content),
        "parts": parts(content),
        "week": week(content["analysis"].get("weekly") or []),
        "digits": digits_of(content["analysis"]["total"]),
        "sentences": sentences(content),
        "rivals": known,
        "compared": beside,
        "slots": [*[one["version"].pk for one in beside], *[None] * MOST][:MOST],
        "chart": chart,
        "since": looked_back([forecast])[0][1],
    }


def with_dates(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The days with a real date, and units rounded so that the days add up to the total."""
    days, total = content["forecast"], content["analysis"]["total"]
    rounded = apportion([day["mean"] for day in days], total, digits_of(total))
    return [
        {**day, "day": date.fromisoformat(day["date"]), "shown": value}
        for day, value in zip(days, rounded, strict=True)
    ]


def week(weekly: list[float | None]) -> list[tuple[Any, float]]:
    """The weekdays that are forecast, by name, with what a usual one sells."""
    return [(WEEKDAYS_ABBR[day], value) for day, value in enumerate(weekly) if value is not None]


def digits_of(total: float) -> int:
    """Decimals of the numbers that add up to this total: none where nobody would miss them."""
    return 0 if total >= 100 else 1


def parts(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The breakdown by store and by product, as far as there is one, rounded so that the parts add up."""
    total = content["analysis"]["total"]
    digits = digits_of(total)
    found = []
    for side, rows in content.get("breakdown", {}).items():
        rounded = apportion([row["total"] for row in rows], total, digits) if rows else []
        table = [
            {**row, "shown": value, "share": row["total"] / total if total else None}
            for row, value in zip(rows, rounded, strict=True)
        ]
        if rows:
            found.append({"side": side, "rows": table, "total": round(total, digits), "digits": digits})
    return found


def lines(one: dict[str, Any]) -> dict[str, Any]:
    """What the chart draws of a compared version: its name and its forecast window only."""
    return {"name": one["version"].name, "days": one["days"]}


def chart_data(content: dict[str, Any]) -> dict[str, Any]:
    """The part of the content that the chart reads."""
    return {name: content[name] for name in ("origin", "history", "test", "forecast")}


def recent(content: dict[str, Any], past: int, ahead: int) -> dict[str, Any]:
    """Chart data of only the newest days, for the overview."""
    chart = chart_data(content)
    return {**chart, "history": chart["history"][-past:], "forecast": chart["forecast"][:ahead]}
