"""Analysis: what a forecast says in numbers, compared with what was sold before. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Days = npt.NDArray[np.datetime64]
YEAR_DAYS = 364  # days: the same weekday last year


@dataclass(frozen=True)
class DailyForecast:
    """One forecast beside its past: `past` [D] units (NaN = not known), `dates`, `mean` and `closed` [H]."""

    past: Floats
    dates: Days
    mean: Floats
    closed: npt.NDArray[np.bool_]


def analyze_forecast(daily: DailyForecast) -> dict[str, Any]:
    """Everything but the total and its range, which belong to the model."""
    expected, days = float(daily.mean.sum()), len(daily.mean)
    before = sum_sales(daily.past, len(daily.past) - days, days)
    year_ago = sum_sales(daily.past, len(daily.past) - YEAR_DAYS, days) if days <= YEAR_DAYS else None
    opened = np.flatnonzero(~daily.closed)
    return {
        "last_period": before,
        "last_year": year_ago,
        "change_last_period": relative_change(expected, before),
        "change_last_year": relative_change(expected, year_ago),
        "weekly": mean_by_weekday(daily),
        "trend_per_week": fit_weekly_trend(daily),
        "peak": describe_day(daily, opened[daily.mean[opened].argmax()]) if opened.size else None,
        "low_day": describe_day(daily, opened[daily.mean[opened].argmin()]) if opened.size else None,
    }


def sum_sales(past: Floats, start: int, days: int) -> float | None:
    """Units in `days` days from `start`; None where the past does not reach or holds no record.

    >>> sum_sales(np.array([1.0, 2.0, np.nan, 4.0]), 1, 3), sum_sales(np.array([1.0]), -1, 2)
    (6.0, None)
    """
    part = past[max(start, 0) : start + days]
    if start < 0 or not len(part) or np.isnan(part).all():
        return None
    return float(np.nansum(part))


def relative_change(now: float, then: float | None) -> float | None:
    """
    >>> relative_change(110.0, 100.0), relative_change(5.0, 0.0), relative_change(5.0, None)
    (0.1, None, None)
    """
    return round(now / then - 1, 6) if then else None


def mean_by_weekday(daily: DailyForecast) -> list[float | None]:
    """Mean of each weekday, Monday first; None for a weekday outside the horizon."""
    weekday = (daily.dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return [
        round(float(daily.mean[weekday == day].mean()), 3) if (weekday == day).any() else None
        for day in range(7)
    ]


def fit_weekly_trend(daily: DailyForecast) -> float | None:
    """Units a day gained per week, from whole weeks so that the rhythm of the week is out; None under two.

    >>> mean = np.repeat([10.0, 12.0, 14.0], 7)
    >>> days = np.arange("2026-01-01", "2026-01-22", dtype="datetime64[D]")
    >>> fit_weekly_trend(DailyForecast(np.array([]), days, mean, np.zeros(21, bool)))
    2.0
    """
    weeks = len(daily.mean) // 7
    if weeks < 2:
        return None
    levels = daily.mean[: weeks * 7].reshape(weeks, 7).mean(axis=1)
    return round(float(np.polyfit(np.arange(weeks), levels, 1)[0]), 6) + 0.0


def confidence_level(total: float, low: float, high: float) -> str:
    """How much the range of a total leaves open: its half width as a share of the total, in three steps.

    >>> confidence_level(100.0, 92.0, 108.0), confidence_level(100.0, 80.0, 125.0)
    ('sure', 'fair')
    >>> confidence_level(10.0, 2.0, 22.0)
    'open'
    """
    width = (high - low) / 2 / total if total else 1.0
    return "sure" if width <= 0.1 else "fair" if width <= 0.25 else "open"


def describe_day(daily: DailyForecast, day: np.intp) -> dict[str, Any]:
    return {"date": str(daily.dates[day]), "mean": round(float(daily.mean[day]), 3)}
