"""Analysis of a forecast in numbers, compared with earlier sales. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from prediction.content import Analysis, DayMean

Floats = npt.NDArray[np.floating[Any]]
Days = npt.NDArray[np.datetime64]
YEAR_DAYS = 364  # days: the same weekday last year
MIN_DAY_SHARE = 0.2  # of its weekday, below which hardly anybody is open: a holiday, not a low day


@dataclass(frozen=True)
class DailyForecast:
    """A forecast and its past: `past` [D] units (NaN = unknown), `dates`, `mean` and `closed` [H]."""

    past: Floats
    dates: Days
    mean: Floats
    closed: npt.NDArray[np.bool_]


def analyze_forecast(daily: DailyForecast, total: float, low: float, high: float) -> Analysis:
    """The analysis; total and 80% interval are the model's and passed through."""
    expected, days = float(daily.mean.sum()), len(daily.mean)
    before = sum_sales(daily.past, len(daily.past) - days, days)
    year_ago = sum_sales(daily.past, len(daily.past) - YEAR_DAYS, days) if days <= YEAR_DAYS else None
    opened = np.flatnonzero(~daily.closed)
    ordinary = opened[daily.mean[opened] >= MIN_DAY_SHARE * usual_of_weekday(daily)[opened]]
    return Analysis(
        total=total,
        low=low,
        high=high,
        last_period=before,
        last_year=year_ago,
        change_last_period=relative_change(expected, before),
        change_last_year=relative_change(expected, year_ago),
        weekly=mean_by_weekday(daily),
        trend_per_week=fit_weekly_trend(daily),
        peak=day_mean(daily, opened[daily.mean[opened].argmax()]) if opened.size else None,
        low_day=day_mean(daily, ordinary[daily.mean[ordinary].argmin()]) if ordinary.size else None,
    )


def sum_sales(past: Floats, start: int, days: int) -> float | None:
    """Units sold in `days` days from `start`; None before the first day or without any record.

    >>> sum_sales(np.array([1.0, 2.0, np.nan, 4.0]), 1, 3), sum_sales(np.array([1.0]), -1, 2)
    (6.0, None)
    """
    part = past[max(start, 0) : start + days]
    if start < 0 or not len(part) or np.isnan(part).all():
        return None
    return float(np.nansum(part))


def sum_series(sales: Floats) -> Floats:
    """Units of all series together: [S, D] -> [D]; NaN = no record of any.

    >>> sum_series(np.array([[1.0, np.nan, np.nan], [2.0, 3.0, np.nan]])).tolist()
    [3.0, 3.0, nan]
    """
    return np.where(np.isnan(sales).all(axis=0), np.nan, np.nansum(sales, axis=0))


def relative_change(now: float, then: float | None) -> float | None:
    """How much `now` is above `then`, as a share; None without a `then` above 0.

    >>> relative_change(110.0, 100.0), relative_change(5.0, 0.0), relative_change(5.0, None)
    (0.1, None, None)
    """
    return round(now / then - 1, 6) if then else None


def usual_of_weekday(daily: DailyForecast) -> Floats:
    """The median of the open days of the same weekday, for each day: [H].

    >>> days = np.arange("2026-01-01", "2026-01-22", dtype="datetime64[D]")
    >>> mean = np.tile(np.arange(7.0), 3)
    >>> usual_of_weekday(DailyForecast(np.array([]), days, mean, np.zeros(21, bool)))[:3].tolist()
    [0.0, 1.0, 2.0]
    """
    usual, place = np.zeros(len(daily.mean)), np.arange(len(daily.mean)) % 7
    for day in range(7):
        chosen = (place == day) & ~daily.closed
        usual[place == day] = np.median(daily.mean[chosen]) if chosen.any() else 0.0
    return usual


def mean_by_weekday(daily: DailyForecast) -> list[float | None]:
    """Mean of each weekday, Monday first; None for a weekday that the horizon does not reach."""
    weekday = (daily.dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return [
        round(float(daily.mean[weekday == day].mean()), 3) if (weekday == day).any() else None
        for day in range(7)
    ]


def fit_weekly_trend(daily: DailyForecast) -> float | None:
    """Units a day gained per week; None for less than two whole weeks.

    >>> mean = np.repeat([10.0, 12.0, 14.0], 7)
    >>> days = np.arange("2026-01-01", "2026-01-22", dtype="datetime64[D]")
    >>> fit_weekly_trend(DailyForecast(np.array([]), days, mean, np.zeros(21, bool)))
    2.0
    """
    weeks = len(daily.mean) // 7  # whole weeks only: weekdays cancel out
    if weeks < 2:
        return None
    levels = daily.mean[: weeks * 7].reshape(weeks, 7).mean(axis=1)
    return round(float(np.polyfit(np.arange(weeks), levels, 1)[0]), 6) + 0.0


def day_mean(daily: DailyForecast, day: np.intp) -> DayMean:
    return DayMean(str(daily.dates[day]), round(float(daily.mean[day]), 3))
