"""What the accuracy page shows, from the sums of the newest year."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from prediction.accuracy.groups import EVERYTHING, SIZES, STORES
from prediction.accuracy.honesty import RealisedShare, measure_share
from prediction.accuracy.marks import list_marks
from prediction.accuracy.models import AccuracyCell, ComparedDays
from prediction.accuracy.reading import ErrorSums, Group, add_up_by, load_rows
from prediction.accuracy.scoring import LAGS
from prediction.accuracy.wording import group_title, lag_title, size_title, verdict_sentence
from registry.datasets.levels import read_levels
from registry.datasets.models import Dataset
from registry.datasets.names import load_names
from registry.series.quantiles import INTERVALS

SHOWN_WEEKS = 52
MAX_GROUPS = 50
HEAT_STEPS = 5  # shades of the heat map
Kind = AccuracyCell.Kind


def find_since(dataset: Dataset) -> date | None:
    """The first Monday shown; None if nothing was compared yet."""
    cells = AccuracyCell.objects.filter(dataset=dataset, column=EVERYTHING)
    newest = cells.aggregate(week=Max("week"))["week"]
    return newest - timedelta(weeks=SHOWN_WEEKS - 1) if newest else None


def page_context(dataset: Dataset, group: Group, by: str, week: date | None) -> dict[str, Any]:
    """Everything but the worst series; nearly nothing if no run was compared yet."""
    since = find_since(dataset)
    if since is None:
        return {}
    rows = load_rows(dataset, ("kind", "week", "lag"), since, group)
    days = [row for row in rows if row["kind"] == Kind.DAY]
    weeks = add_up_by(days, "week")
    compared = ComparedDays.objects.filter(dataset_version__dataset=dataset, last__gte=since)
    return {
        "total": ErrorSums.add_up(days),
        "weeks": list(weeks.items()),
        "chart": build_chart(weeks, list_marks(dataset, since)),
        "heat": build_heat_map(days, list(weeks)),
        "lags": [(lag_title(lag), sums) for lag, sums in add_up_by(days, "lag").items()],
        "groups": list_groups(dataset, by, since),
        "group_columns": list_group_columns(dataset),
        "honesty": build_honesty(dataset, rows, since, group),
        "informed": compared.filter(is_informed=True).exists(),
        "week": week,
    }


def build_chart(weeks: dict[date, ErrorSums], marks: list[dict[str, str]]) -> dict[str, Any]:
    """What static/charts/accuracy.js draws."""
    return {
        "weeks": [week.isoformat() for week in weeks],
        "wape": [sums.wape for sums in weeks.values()],
        "naive": [sums.naive_wape for sums in weeks.values()],
        "bias": [sums.bias for sums in weeks.values()],
        "marks": marks,
    }


def build_heat_map(days: list[dict[str, Any]], weeks: list[date]) -> list[dict[str, Any]]:
    """A row for each lag with a cell for each week: its error, and the shade from 1 (lowest) to 5."""
    cells = {(row["lag"], row["week"]): ErrorSums.add_up([row]).wape for row in days}
    known = [value for value in cells.values() if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    step = (high - low) / HEAT_STEPS or 1.0
    return [
        {
            "title": lag_title(lag),
            "cells": [
                {
                    "week": week,
                    "wape": (value := cells.get((lag, week))),
                    "shade": 0 if value is None else min(HEAT_STEPS, 1 + int((value - low) / step)),
                }
                for week in weeks
            ],
        }
        for lag in LAGS
        if any(row["lag"] == lag for row in days)
    ]


def list_group_columns(dataset: Dataset) -> list[tuple[str, str]]:
    """What errors can be listed by: (column, title)."""
    columns = [STORES, SIZES]
    if data := dataset.current_version:
        columns += [level.column for level in read_levels(data)]
    return [(column, group_title(column)) for column in columns]


def list_groups(dataset: Dataset, column: str, since: date) -> list[dict[str, Any]]:
    """The groups of a column, those with the most units missed first."""
    rows = load_rows(dataset, ("value",), since, column=column, kind=Kind.DAY)
    names = load_names(dataset.current_version) if dataset.current_version else None
    found: list[tuple[float, dict[str, Any]]] = []
    for value, sums in add_up_by(rows, "value").items():
        label = size_title(value) if column == SIZES else value or _("not given")
        if column == STORES and names is not None:
            label = names.format_store(value)
        row = {"label": label, "group": f"{column}:{value}", "sums": sums}
        found.append((sums.values["missed"], row))
    return [row for _missed, row in sorted(found, key=lambda pair: -pair[0])[:MAX_GROUPS]]


def build_honesty(dataset: Dataset, rows: list[dict[str, Any]], since: date, group: Group) -> dict[str, Any]:
    """Promised and realised shares by kind, lag and size of sales, and the verdict."""
    of_days = [row for row in rows if row["kind"] == Kind.DAY]
    sizes: list[dict[str, Any]] = []
    if group == Group():
        sizes = load_rows(dataset, ("value", "week"), since, column=SIZES, kind=Kind.DAY)
    whole = measure_rows(of_days)
    by_size = [(size_title(value), measure_rows(part)) for value, part in split_by(sizes, "value")]
    by_kind = [
        (str(Kind(kind).label), measure_rows([row for row in rows if row["kind"] == kind]))
        for kind in Kind.values
        if any(row["kind"] == kind for row in rows)
    ]
    by_lag = [(lag_title(lag), measure_rows(part)) for lag, part in split_by(of_days, "lag")]
    return {
        "verdict": verdict_sentence(whole.get("80"), by_size),
        "tables": [
            (_("Of what"), by_kind),
            (_("Days ahead"), by_lag),
            (_("Units a day"), by_size),
        ],
    }


def split_by(rows: list[dict[str, Any]], name: str) -> list[tuple[Any, list[dict[str, Any]]]]:
    """The rows by one of their fields."""
    return [(key, [row for row in rows if row[name] == key]) for key in sorted({row[name] for row in rows})]


def measure_rows(rows: list[dict[str, Any]]) -> dict[str, RealisedShare | None]:
    """The realised share of each interval, with weeks as what chance draws."""
    weeks = add_up_by(rows, "week").values()
    counts = [sums.values["count"] for sums in weeks]
    return {
        name: measure_share(int(name) / 100, [sums.values[f"inside_{name}"] for sums in weeks], counts)
        for name in INTERVALS
    }
