"""Template context of a forecast's page: its content, or one sentence when its file is damaged."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR

from prediction.accuracy.so_far import measure_actuals
from prediction.breakdown import choose_decimals, round_to_total
from prediction.chart import chart_of, load_sold_days
from prediction.comparison import MAX_COMPARED, comparable_versions, compare_versions
from prediction.content import ForecastContent, Part
from prediction.forecast_page.answer import answer_context, heading_context
from prediction.forecast_page.tabs import ANSWER, list_tabs
from prediction.models import Forecast
from prediction.narrative import build_sentences
from prediction.overrides.forms import override_url
from prediction.trust import list_trust_findings
from registry.lib.messages import translate_error
from registry.storage.artifacts import CorruptArtifact

LEVEL_TABLE = "level-"  # begins the name of a table by a level
MAX_PARTS = 15  # rows of a table of stores or products that are shown at first


def forecast_context(
    forecast: Forecast,
    content: ForecastContent | None = None,
    others: Collection[str] = (),
    whole_side: str = "",
) -> dict[str, Any]:
    """Answer, content, days, parts, sentences and compared versions; or only a `problem`.

    Without `content` it is read from the forecast's file. `others`: ids of versions to compare with.
    `whole_side`: the name of the table of parts, such as "stores", that is shown whole.
    """
    shown = {**heading_context(forecast), "tabs": list_tabs(forecast, ANSWER)}
    try:
        content = content or forecast.load_content()
    except (CorruptArtifact, ValueError) as problem:
        return {**shown, "problem": translate_error(problem)}
    known = list(comparable_versions(forecast)[:100])
    compared = compare_versions(forecast, [version for version in known if str(version.pk) in others])
    newest = forecast.version.model.dataset.current_version
    sold = load_sold_days(forecast, newest)
    return {
        **shown,
        **answer_context(forecast, content.analysis),
        "override_address": override_address(forecast),
        "content": content,
        "days": add_dates(content, sold),
        "parts": build_part_tables(content, whole_side),
        "week": name_weekdays(content.analysis.weekly),
        "digits": choose_decimals(content.analysis.total),
        "sentences": build_sentences(content),
        "trust_findings": list_trust_findings(forecast, content),
        "rivals": known,
        "compared": compared,
        "slots": [*[one.version.pk for one in compared], *[None] * MAX_COMPARED][:MAX_COMPARED],
        "chart": chart_of(forecast, content, compared, sold),
        "sold": sold,
        "since": measure_actuals(forecast, newest),
    }


def override_address(forecast: Forecast) -> str:
    """The form that changes what is forecast here; empty for a version of a store or product alone."""
    if forecast.version.model.kind != "global":
        return ""
    asked = forecast.selection
    groups = [str(group) for group in asked.levels]
    return override_url(store=asked.store, product=asked.product, level=groups)


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


def build_part_tables(content: ForecastContent, whole_side: str = "") -> list[dict[str, Any]]:
    """A table for each side and each level that was broken down; their rows add up to the total.

    The table called `whole_side` is shown whole.
    """
    sides = [
        build_part_table(content, side, parts, whole_side)
        for side, parts in content.breakdown.items()
        if parts
    ]
    levels = [
        build_part_table(content, f"{LEVEL_TABLE}{number}", level.parts, whole_side)
        | {"side": level.side, "column": level.column}
        for number, level in enumerate(content.levels)
    ]
    return [*sides, *levels]


def build_part_table(
    content: ForecastContent, name: str, parts: list[Part], whole_side: str
) -> dict[str, Any]:
    """One table, rounded so that its rows add up to the total.

    `shown` are all rows of a short table and of one called `whole_side`, else the largest; `others` the rest.
    """
    total = content.analysis.total
    digits = choose_decimals(total)
    rounded = round_to_total([part.total for part in parts], total, digits)
    rows = [
        {**part.to_json(), "shown": value, "share": part.total / total if total else None}
        for part, value in zip(parts, rounded, strict=True)
    ]
    most = len(rows) if name == whole_side or len(rows) <= MAX_PARTS else MAX_PARTS
    return {
        "name": name,
        "side": name,
        "rows": rows,
        "shown": rows[:most],
        "others": sum_others(rows[most:], digits),
        "is_long": most > MAX_PARTS,
        "total": round(total, digits),
        "digits": digits,
    }


def sum_others(rows: list[dict[str, Any]], digits: int) -> dict[str, Any] | None:
    """The rows that are not shown as one; None without any."""
    if not rows:
        return None
    share = sum(row["share"] or 0.0 for row in rows)
    return {"count": len(rows), "units": round(sum(row["shown"] for row in rows), digits), "share": share}
