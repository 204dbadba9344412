"""What to look at in the sales of a store or product. Pure numpy.

A flag has a code and a value that its sentence names: `level` (sales moved away from the forecast, relative
change), `missed` (units sold since the previous forecast, relative to it), `idle` (whole weeks without a
sale), `few` (units a week).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
FLAG_CODES = ("level", "missed", "idle", "few")
WEEK, YEAR_DAYS = 7, 364
RECENT_DAYS = 14  # days of sales that are compared with the forecast
MIN_CHANGE = 0.25  # a smaller change is no flag
NOISE = 3.0  # standard deviations of a count that chance may explain
STRETCH = 2.0  # times the likely range that chance may explain
MAX_SEASON = 2.0  # by how much last year may explain a change
IDLE_WEEKS = 3
FEW_PER_WEEK = 2.0
Flags = dict[str, float]


@dataclass(frozen=True)
class ItemSales:
    """Daily units [D] of the newest year or more (NaN = no record), and the sum forecast for `days` days."""

    past: Floats
    days: int
    expected: float
    low: float
    high: float


def find_flags(sales: ItemSales) -> Flags:
    """The flags of an item, except `missed`."""
    idle = count_idle_weeks(sales.past)
    if idle >= IDLE_WEEKS:
        return {"idle": float(idle)}
    flags: Flags = {}
    if (change := measure_level_change(sales)) is not None:
        flags["level"] = round(change, 4)
    if (weekly := mean_week(sales.past)) < FEW_PER_WEEK:
        flags["few"] = round(weekly, 2)
    return flags


def count_idle_weeks(past: Floats) -> int:
    """Whole weeks without a sale up to the last day; 0 for what never sold.

    >>> count_idle_weeks(np.array([5.0] + [0.0] * 15)), count_idle_weeks(np.zeros(30))
    (2, 0)
    """
    sold = np.flatnonzero(np.nan_to_num(past) > 0)
    return int((len(past) - 1 - sold[-1]) // WEEK) if sold.size else 0


def mean_week(past: Floats) -> float:
    """Units in a usual week of the last twelve.

    >>> mean_week(np.full(200, 2.0))
    14.0
    """
    recent = past[-12 * WEEK :]
    return float(np.nansum(recent) * WEEK / max(1, len(recent)))


def measure_level_change(sales: ItemSales) -> float | None:
    """How much more was sold lately than this forecast expects; None if season or chance may explain it.

    >>> year = np.full(400, 10.0)
    >>> measure_level_change(ItemSales(year, 28, 280.0, 250.0, 310.0)) is None
    True
    >>> doubled = np.concatenate([year, np.full(14, 20.0)])
    >>> measure_level_change(ItemSales(doubled, 28, 280.0, 250.0, 310.0))
    1.0
    """
    recent = sales.past[-RECENT_DAYS:]
    if len(recent) < RECENT_DAYS or np.isnan(recent).all() or sales.expected <= 0:
        return None
    sold, share = float(np.nansum(recent)), RECENT_DAYS / sales.days
    plain = sales.expected * share
    room = STRETCH * sqrt(share)  # fewer days even out less
    for usual in (plain, plain / season_factor(sales)):
        scale = usual / plain
        low = usual - max((sales.expected - sales.low) * room * scale, NOISE * sqrt(usual))
        high = usual + max((sales.high - sales.expected) * room * scale, NOISE * sqrt(usual))
        if low <= sold <= high or abs(sold / usual - 1) < MIN_CHANGE:
            return None
    is_higher = sold > plain
    if is_higher != (sold > plain / season_factor(sales)):
        return None
    return sold / plain - 1


def season_factor(sales: ItemSales) -> float:
    """How much more sold last year on the days forecast than on the days before them; 1 if unknown.

    >>> season_factor(ItemSales(np.full(100, 1.0), 28, 28.0, 20.0, 36.0))
    1.0
    """
    start = len(sales.past) - YEAR_DAYS
    before, after = sales.past[max(0, start - RECENT_DAYS) : max(0, start)], sales.past[max(0, start) :]
    after = after[: sales.days]
    if start < RECENT_DAYS or np.isnan(before).all() or np.isnan(after).all():
        return 1.0
    then, later = float(np.nanmean(before)), float(np.nanmean(after))
    return float(np.clip(later / then, 1 / MAX_SEASON, MAX_SEASON)) if then > 0 and later > 0 else 1.0


def measure_miss(sold: float, expected: float, room: tuple[float, float]) -> float | None:
    """How much more was sold than expected; None when the range (below, above) or chance may explain it.

    >>> measure_miss(200.0, 100.0, (20.0, 20.0)), measure_miss(104.0, 100.0, (20.0, 20.0))
    (1.0, None)
    """
    if expected <= 0:
        return None
    below, above = (max(STRETCH * width, NOISE * sqrt(expected)) for width in room)
    change = sold / expected - 1
    is_near = expected - below <= sold <= expected + above
    return None if is_near or abs(change) < MIN_CHANGE else round(change, 4)
