"""Builds the content of a forecast's file from what the model predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from prediction.analysis import DailyForecast, analyze_forecast, sum_series
from prediction.breakdown import build_breakdown, build_level_parts, group_rows
from prediction.content import ForecastContent, ForecastDay, HistoryDay, HoldoutDay, WeekAhead
from prediction.engine import Rows, ScopeForecast
from prediction.level import list_moved_parts
from prediction.promotions import list_events, promotion_flags
from registry.datasets.levels import read_levels
from registry.datasets.names import load_names

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.prediction import Prediction

HISTORY_DAYS = 730  # days of history in the file, for the chart


def build_content(scope_forecast: ScopeForecast) -> ForecastContent:
    """History, days ahead, test forecast, analysis and breakdown of the chosen series together."""
    keep_sums(scope_forecast)
    _expected, low, high = scope_forecast.prediction.sum_with_interval(scope_forecast.rows)
    prediction = scope_forecast.prediction.sum_rows(scope_forecast.rows)
    past, closed = sum_past_sales(scope_forecast)
    days = forecast_days(scope_forecast, prediction)
    total = round(sum(day.mean for day in days), 3)  # so that the days of the file add up to its total
    end = scope_forecast.panel.days + len(prediction.dates)
    daily = DailyForecast(past, prediction.dates, prediction.mean[0], prediction.closed[0])
    breakdown = build_breakdown(scope_forecast, total, load_names(scope_forecast.data))
    return ForecastContent(
        version=scope_forecast.version.name,
        created_at=timezone.now().isoformat(timespec="seconds"),
        origin=str(prediction.origin),
        horizon=len(prediction.dates),
        history=history_days(scope_forecast, past, closed),
        test=holdout_days(
            scope_forecast.bundle, [scope_forecast.panel.keys[row] for row in scope_forecast.rows]
        ),
        forecast=days,
        analysis=analyze_forecast(daily, total, round(low, 3), round(high, 3)),
        breakdown=breakdown,
        assumptions=scope_forecast.prediction.assumptions,
        weeks=weeks_ahead(scope_forecast),
        range_windows=scope_forecast.prediction.dependence.windows,
        range_days=scope_forecast.prediction.dependence.window_days,
        events=list_events(scope_forecast, max(0, scope_forecast.panel.days - HISTORY_DAYS), end),
        moved=list_moved_parts(scope_forecast, breakdown),
        new_days=count_new_days(scope_forecast),
        levels=build_level_parts(scope_forecast, total, breakdown),
    )


def count_new_days(scope_forecast: ScopeForecast) -> int | None:
    """The recorded days of the chosen series if all of them are new; None if any sells since long."""
    from registry.series.newcomers.introduction import find_newcomers

    chosen = scope_forecast.panel.select_series(scope_forecast.rows)
    if not find_newcomers(chosen).all():
        return None
    return int((~np.isnan(chosen.open_sales)).any(axis=0).sum())


def keep_sums(scope_forecast: ScopeForecast) -> None:
    """Draws the paths of all parts at once, unless somebody has done so."""
    scope_forecast.prediction.keep_sums(list_parts(scope_forecast))


def list_parts(scope_forecast: ScopeForecast) -> list[Rows]:
    """The rows of the total, of each store, of each product and of each group of a level."""
    sides = [group_rows(scope_forecast, side) for side in (0, 1)]
    levels = [
        level.group_rows(scope_forecast.panel.keys, scope_forecast.rows)
        for level in read_levels(scope_forecast.data)
    ]
    return [scope_forecast.rows, *(rows for groups in (*sides, *levels) for rows in groups.values())]


def sum_past_sales(
    scope_forecast: ScopeForecast,
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.bool_]]:
    """[D] sum of sales over the chosen rows (NaN = no record at all), and [D] whether all were closed."""
    past = sum_series(scope_forecast.panel.sales[scope_forecast.rows].astype(np.float64))
    return past, np.asarray(scope_forecast.panel.closed[scope_forecast.rows].all(axis=0))


def history_days(
    scope_forecast: ScopeForecast, past: npt.NDArray[np.floating[Any]], closed: npt.NDArray[np.bool_]
) -> list[HistoryDay]:
    """The newest two years, day by day."""
    panel, first = scope_forecast.panel, max(0, scope_forecast.panel.days - HISTORY_DAYS)
    promo, dates = promotion_flags(scope_forecast, first, panel.days), panel.dates
    return [
        HistoryDay(str(dates[day]), json_number(past[day]), promo[day - first], bool(closed[day]))
        for day in range(first, panel.days)
    ]


def forecast_days(scope_forecast: ScopeForecast, prediction: Prediction) -> list[ForecastDay]:
    """The days ahead of a prediction of one row."""
    start, model = scope_forecast.panel.days, sum_model(scope_forecast)
    promo = promotion_flags(scope_forecast, start, start + len(prediction.dates))
    return [
        ForecastDay(
            str(prediction.dates[day]),
            round(float(prediction.mean[0, day]), 3),
            tuple(json_number(value) for value in prediction.quantiles[0, day]),
            promo[day],
            bool(prediction.closed[0, day]),
            tuple(map(json_number, (model.mean[0, day], *model.quantiles[0, day]))) if model else None,
        )
        for day in range(len(prediction.dates))
    ]


def sum_model(scope_forecast: ScopeForecast) -> Prediction | None:
    """The chosen series together as the model forecast them; None if nobody has changed them."""
    chosen = scope_forecast.prediction.select_series(scope_forecast.rows)
    if chosen.adjustment is None or not len(chosen.adjustment.changed_rows):
        return None
    return chosen.of_model().sum_rows()


def weeks_ahead(scope_forecast: ScopeForecast) -> list[WeekAhead]:
    """The ranges of the weeks ahead, of the chosen series together."""
    prediction = scope_forecast.prediction
    return [
        WeekAhead(str(day), tuple(json_number(value) for value in quantiles))
        for day, quantiles in zip(
            prediction.dates[::7], prediction.week_quantiles(scope_forecast.rows), strict=False
        )
    ]


def holdout_days(bundle: Bundle, keys: list[tuple[str, str]]) -> list[HoldoutDay]:
    """The test forecast of the last held-back window, summed over the series; empty without one."""
    if bundle.test_mean is None or not bundle.test_origin:
        return []
    rows = [bundle.tested_rows[key] for key in keys if key in bundle.tested_rows]
    if not rows:
        return []
    mean = bundle.test_mean[rows].sum(axis=0)
    dates = np.datetime64(bundle.test_origin) + np.arange(1, len(mean) + 1)
    return [HoldoutDay(str(day), json_number(value)) for day, value in zip(dates, mean, strict=True)]


def json_number(value: float | np.floating[Any]) -> float | None:
    """Three decimals; None for NaN, which JSON does not know.

    >>> json_number(1.23456), json_number(float("nan"))
    (1.235, None)
    """
    number = float(value)
    return round(number, 3) if np.isfinite(number) else None
