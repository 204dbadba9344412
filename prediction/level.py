"""Whether sales have moved away from what a forecast expects: its level against the newest known days.

Days are compared by weekday, open ones without a promotion only. Last year tells how much of a difference is
season. What chance or the forecast's own range may explain is no move.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from prediction.analysis import YEAR_DAYS, sum_series
from prediction.breakdown import group_rows
from prediction.content import ForecastContent, MovedPart, Part
from prediction.promotions import find_promotion_days

if TYPE_CHECKING:
    from prediction.engine import Rows, ScopeForecast

Floats = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
RECENT_DAYS = (14, 28)  # newest days compared: the second number where the first leaves too few usual days
AHEAD_DAYS, WEEK = 28, 7
MIN_DAYS = 4  # usual days that can be compared
MIN_RATIO = 1.25  # up or down
MAX_SEASON = 3.0  # by how much last year may explain a change
NOISE = 3.0  # standard deviations of the sum of the newest days that chance may explain
MAX_MOVED = 20  # parts listed


@dataclass(frozen=True)
class DailyLevel:
    """Units of the known days [D] (NaN = no record) and of the days ahead [H], and which days are usual ones.

    total, low, high: of the days ahead together, with the 80% interval.
    """

    past: Floats
    mean: Floats
    usual_past: Flags
    usual_ahead: Flags
    interval: tuple[float, float, float]


@dataclass(frozen=True)
class LevelChange:
    """How much more the newest days sold than the forecast expects, as a share, and how many they are."""

    change: float
    days: int


def measure_level_change(level: DailyLevel) -> LevelChange | None:
    """The move away from the forecast; None if there is none.

    >>> usual, ahead = np.ones(420, bool), np.full(28, 10.0)
    >>> past = np.concatenate([np.full(406, 10.0), np.full(14, 20.0)])
    >>> measure_level_change(DailyLevel(past, ahead, usual, usual[:28], (280.0, 260.0, 300.0)))
    LevelChange(change=1.0, days=14)
    """
    for days in RECENT_DAYS:
        weekdays, recent, ahead = compare_weekdays(level, days)
        if weekdays.any():
            ratio = float(recent[weekdays].sum() / ahead[weekdays].sum())
            is_same_way = moved_sign(ratio) == moved_sign(ratio * season_ratio(level, days, weekdays)) != 0
            if is_same_way and not may_be_chance(level, days, weekdays, ahead):
                return LevelChange(round(ratio - 1, 4), days)
            return None
    return None


def compare_weekdays(level: DailyLevel, days: int) -> tuple[Flags, Floats, Floats]:
    """Which weekdays can be compared [7], and the means of the newest days and of those ahead, [7] each."""
    last, ahead_days = len(level.past), min(AHEAD_DAYS, len(level.mean))
    columns = np.arange(max(0, last - days), last)
    usual = level.usual_past[columns] & ~np.isnan(level.past[columns])
    recent = mean_by_weekday(level.past[columns], columns, usual)
    coming = np.arange(last, last + ahead_days)
    ahead = mean_by_weekday(level.mean[:ahead_days], coming, level.usual_ahead[:ahead_days])
    known = ~np.isnan(recent) & ~np.isnan(ahead)
    is_enough = np.isin(columns[usual] % WEEK, np.flatnonzero(known)).sum() >= MIN_DAYS
    if not is_enough or not np.nansum(ahead[known]) > 0:
        known[:] = False
    return known, recent, ahead


def mean_by_weekday(values: Floats, columns: npt.NDArray[np.intp], usual: Flags) -> Floats:
    """The mean of each weekday over usual days: [7], NaN = none. A weekday is a column modulo 7."""
    day = columns[usual] % WEEK
    count = np.bincount(day, minlength=WEEK)
    sums = np.bincount(day, np.nan_to_num(values[usual]), minlength=WEEK)
    return np.where(count, sums / np.maximum(1, count), np.nan)


def season_ratio(level: DailyLevel, days: int, weekdays: Flags) -> float:
    """How much more the days ahead sold last year than the days before them; 1 if unknown."""
    last, ahead_days = len(level.past) - YEAR_DAYS, min(AHEAD_DAYS, len(level.mean), YEAR_DAYS)
    if last - days < 0:
        return 1.0
    means = []
    for columns in (np.arange(last - days, last), np.arange(last, last + ahead_days)):
        usual = level.usual_past[columns] & ~np.isnan(level.past[columns])
        means.append(mean_by_weekday(level.past[columns], columns, usual)[weekdays])
    both = ~np.isnan(means[0]) & ~np.isnan(means[1])
    before, after = float(means[0][both].sum()), float(means[1][both].sum())
    return float(np.clip(after / before, 1 / MAX_SEASON, MAX_SEASON)) if before > 0 and after > 0 else 1.0


def moved_sign(ratio: float) -> int:
    """1 or -1 for a clear move up or down, else 0.

    >>> moved_sign(1.3), moved_sign(0.9), moved_sign(0.75)
    (1, 0, -1)
    """
    return 1 if ratio >= MIN_RATIO else -1 if ratio <= 1 / MIN_RATIO else 0


def may_be_chance(level: DailyLevel, days: int, weekdays: Flags, ahead: Floats) -> bool:
    """Whether the forecast's own range, or the scatter of the days, holds what was sold."""
    columns = np.arange(max(0, len(level.past) - days), len(level.past))
    usual = level.usual_past[columns] & ~np.isnan(level.past[columns]) & weekdays[columns % WEEK]
    days_sold, days_expected = level.past[columns][usual], ahead[columns[usual] % WEEK]
    sold, expected = float(days_sold.sum()), float(days_expected.sum())
    scatter = float(((days_sold - days_expected * sold / expected) ** 2).sum())  # around the new level, then
    scatter *= min(1.0, expected / sold) if sold > 0 else 1.0  # as it would be at the old one
    noise = NOISE * sqrt(max(expected + 1, scatter))  # counts scatter by their mean at least
    total, low, high = level.interval
    # a longer forecast has a wider range, which must not excuse the days compared
    share = expected / total * sqrt(min(1.0, AHEAD_DAYS / len(level.mean))) if total > 0 else 0.0
    return (
        expected - max((total - low) * share, noise) <= sold <= expected + max((high - total) * share, noise)
    )


def measure_content(content: ForecastContent) -> LevelChange | None:
    """The move of what a forecast covers as a whole."""
    past = np.array([np.nan if day.sales is None else day.sales for day in content.history], float)
    analysis = content.analysis
    level = DailyLevel(
        past,
        np.array([day.mean for day in content.forecast], float),
        np.array([not (day.closed or day.promo) for day in content.history], bool),
        np.array([not (day.closed or day.promo) for day in content.forecast], bool),
        (analysis.total, analysis.low, analysis.high),
    )
    return measure_level_change(level)


def list_moved_parts(scope_forecast: ScopeForecast, breakdown: dict[str, list[Part]]) -> list[MovedPart]:
    """The products that moved, most units first; the stores if there is one product only."""
    side = "products" if breakdown.get("products") else "stores"
    parts, place = breakdown.get(side, []), ("stores", "products").index(side)
    groups, moved = group_rows(scope_forecast, place), []
    for part in parts:
        found = measure_level_change(part_level(scope_forecast, part, groups[part.code]))
        if found:
            moved.append((abs(found.change) * part.total, part, found))
    moved.sort(key=lambda row: (-row[0], row[1].code))
    return [
        MovedPart(side, part.code, part.name, found.change, found.days)
        for _units, part, found in moved[:MAX_MOVED]
    ]


def part_level(scope_forecast: ScopeForecast, part: Part, rows: Rows) -> DailyLevel:
    """The newest year and two months of a part, and its days ahead."""
    panel, prediction = scope_forecast.panel, scope_forecast.prediction
    first = max(0, panel.days - YEAR_DAYS - max(RECENT_DAYS) - AHEAD_DAYS)
    sales = panel.sales[rows, first:].astype(np.float64)
    stop = panel.days + len(prediction.dates)
    promoted = find_promotion_days(panel, rows, first, stop)
    return DailyLevel(
        sum_series(sales),
        prediction.mean[rows].sum(axis=0),
        ~panel.closed[rows, first:].all(axis=0) & ~promoted[: panel.days - first],
        ~prediction.closed[rows].all(axis=0) & ~promoted[panel.days - first :],
        (part.total, part.low, part.high),
    )
