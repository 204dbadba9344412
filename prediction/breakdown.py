"""Breakdown of a total by store, by product and by each level of the data. The parts add up to the total."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from prediction.analysis import YEAR_DAYS, relative_change, sum_sales, sum_series
from prediction.content import LevelParts, Part
from registry.datasets.levels import read_levels
from registry.datasets.names import ItemNames
from registry.series.levels import rows_by_code

if TYPE_CHECKING:
    from prediction.engine import Rows, ScopeForecast

DIGITS = 3  # decimals of the numbers in a forecast's file


def round_to_total(values: list[float], total: float, digits: int = 0) -> list[float]:
    """The values rounded so that they add up to the rounded total (largest remainder method).

    >>> round_to_total([1.4, 1.4, 1.2], 4.0), round_to_total([0.25, 0.25], 0.5, 1)
    ([2.0, 1.0, 1.0], [0.3, 0.2])
    """
    scale = 10**digits
    exact = np.array(values, float) * scale
    down = np.floor(exact)
    missing = round(total * scale - down.sum())
    step = 1 if missing > 0 else -1
    order = np.argsort(-(exact - down) * step, kind="stable")
    for turn in range(abs(missing)):
        down[order[turn % len(order)]] += step
    return [float(value) for value in np.round(down / scale, digits)]


def choose_decimals(total: float) -> int:
    """Decimals of numbers that add up to this total: none for large ones."""
    return 0 if total >= 100 else 1


def build_breakdown(scope_forecast: ScopeForecast, total: float, names: ItemNames) -> dict[str, list[Part]]:
    """The parts by "stores" and by "products", largest first; a side with a single part is left empty."""
    return {
        side: build_parts(scope_forecast, total, group_rows(scope_forecast, place), dict(named))
        for side, place, named in (("stores", 0, names.stores), ("products", 1, names.products))
    }


def build_level_parts(
    scope_forecast: ScopeForecast, total: float, breakdown: dict[str, list[Part]]
) -> list[LevelParts]:
    """The parts by each level that tells more than the stores and products of `breakdown`."""
    found = []
    for level in read_levels(scope_forecast.data):
        groups = level.group_rows(scope_forecast.panel.keys, scope_forecast.rows)
        if 1 < len(groups) < len(breakdown[level.side]):
            parts = build_parts(scope_forecast, total, groups, {})
            found.append(LevelParts(level.column, level.side, parts))
    return found


def build_parts(
    scope_forecast: ScopeForecast, total: float, groups: dict[str, Rows], names: dict[str, str]
) -> list[Part]:
    """The parts of a total by the code of each group of rows; none if there is one group only."""
    if len(groups) < 2:
        return []
    parts = [build_part(scope_forecast, code, names.get(code, ""), rows) for code, rows in groups.items()]
    rounded = round_to_total([part.total for part in parts], total, DIGITS)
    parts = [replace(part, total=units) for part, units in zip(parts, rounded, strict=True)]
    return sorted(parts, key=lambda part: (-part.total, part.code))


def group_rows(scope_forecast: ScopeForecast, side: int) -> dict[str, Rows]:
    """The chosen rows of each code on one side of the series' keys: 0 = stores, 1 = products."""
    rows, keys = scope_forecast.rows, scope_forecast.panel.keys
    return rows_by_code([keys[row][side] for row in rows.tolist()], rows)


def build_part(scope_forecast: ScopeForecast, code: str, name: str, rows: Rows) -> Part:
    """One part, its total not rounded yet, compared with the days before and with last year."""
    expected, low, high = scope_forecast.prediction.sum_with_interval(rows)
    past = sum_series(scope_forecast.panel.sales[rows].astype(np.float64))
    days = len(scope_forecast.prediction.dates)
    year_ago = sum_sales(past, len(past) - YEAR_DAYS, days) if days <= YEAR_DAYS else None
    return Part(
        code=code,
        name=name,
        total=expected,
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        change_last_year=relative_change(expected, year_ago),
        change_last_period=relative_change(expected, sum_sales(past, len(past) - days, days)),
    )
