"""What to look at in a store or product. Pure numpy.

A flag has a code and a value that its sentence names: `new` (days since its first record), `level` (sales
moved away from the forecast, relative change), `missed` (units sold since an earlier forecast, relative to
it), `idle` (whole weeks without a sale), `few` (units expected a week).
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.series.newcomers import KNOWN_DAYS

Floats = npt.NDArray[np.floating[Any]]
Flags = dict[str, float]
FLAG_CODES = ("new", "level", "missed", "idle", "few")
WEEK = 7
IDLE_WEEKS = 3
FEW_PER_WEEK = 7.0  # the trust line of a forecast calls the same few
MIN_CHANGE = 0.25  # a smaller miss is no flag
NOISE = 3.0  # standard deviations of a count that chance may explain
STRETCH = 2.0  # times the 80% range that chance may explain: of thousands of items many miss the range itself


def count_idle_weeks(past: Floats) -> int:
    """Whole weeks without a sale up to the last day; 0 for what never sold.

    >>> count_idle_weeks(np.array([5.0] + [0.0] * 15)), count_idle_weeks(np.zeros(30))
    (2, 0)
    """
    sold = np.flatnonzero(np.nan_to_num(past) > 0)
    return int((len(past) - 1 - sold[-1]) // WEEK) if sold.size else 0


def count_new_days(past: Floats) -> int:
    """Days since the first record of what has been recorded for less than two weeks; else 0.

    >>> count_new_days(np.array([np.nan] * 30 + [2.0, 0.0, 1.0])), count_new_days(np.ones(30))
    (3, 0)
    """
    days = len(past) - int((~np.isnan(past)).argmax())
    return days if days < min(KNOWN_DAYS, len(past)) and not np.isnan(past[-days:]).all() else 0


def find_flags(past: Floats, weekly: float, level: float | None) -> Flags:
    """The flags of an item but `missed`: from its past days, units expected a week, and how its level moved.

    >>> find_flags(np.ones(40), 7.5, 0.8), find_flags(np.array([2.0] + [0.0] * 30), 0.1, None)
    ({'level': 0.8}, {'idle': 4.0})
    """
    if days := count_new_days(past):
        return {"new": float(days)}
    if (idle := count_idle_weeks(past)) >= IDLE_WEEKS:
        return {"idle": float(idle)}
    flags = {} if level is None else {"level": level}
    return {**flags, "few": round(weekly, 2)} if weekly < FEW_PER_WEEK else flags


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
