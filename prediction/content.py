"""The content of a forecast's file: history, forecast days, test forecast, analysis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from prediction.analysis import DailyForecast, analyze_forecast, confidence_level
from prediction.breakdown import build_breakdown
from prediction.engine import ScopeForecast
from registry.datasets.names import load_names

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.prediction import Prediction

SCHEMA_VERSION = 1

HISTORY_DAYS = 730  # days kept in the file, for the chart

PROMO_COLUMN = re.compile(r"(on_?)?promo(tion)?|促销", re.IGNORECASE)


def build_content(scope_forecast: ScopeForecast) -> dict[str, Any]:
    """The JSON of the file: history, test, forecast, analysis, breakdown, assumptions."""
    _expected, low, high = scope_forecast.prediction.sum_with_interval(scope_forecast.rows)
    total = scope_forecast.prediction.sum_rows(scope_forecast.rows)
    past, closed = sum_past_sales(scope_forecast)
    days = forecast_days(scope_forecast, total)
    units = round(sum(day["mean"] for day in days), 3)  # so that the days of the file add up to its total
    line = DailyForecast(past, total.dates, total.mean[0], total.closed[0])
    return {
        "schema": SCHEMA_VERSION,
        "version": scope_forecast.version.name,
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "origin": str(total.origin),
        "horizon": len(total.dates),
        "unit": "units",
        "history": history_days(scope_forecast, past, closed),
        "test": holdout_days(
            scope_forecast.bundle, [scope_forecast.panel.keys[row] for row in scope_forecast.rows]
        ),
        "forecast": days,
        "analysis": {
            "total": units,
            "low": json_number(low),
            "high": json_number(high),
            "sure": confidence_level(units, low, high),
            **analyze_forecast(line),
        },
        "breakdown": build_breakdown(scope_forecast, units, load_names(scope_forecast.data)),
        "assumptions": scope_forecast.prediction.assumptions,
    }


def sum_past_sales(
    scope_forecast: ScopeForecast,
) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.bool_]]:
    """[D] sum of sales over the chosen rows (NaN = no record at all), and [D] whether all were closed."""
    sales = scope_forecast.panel.sales[scope_forecast.rows].astype(np.float64)
    past = np.where(np.isnan(sales).all(axis=0), np.nan, np.nansum(sales, axis=0))
    return past, np.asarray(scope_forecast.panel.closed[scope_forecast.rows].all(axis=0))


def history_days(
    scope_forecast: ScopeForecast, past: npt.NDArray[np.floating[Any]], closed: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """The newest two years, day by day."""
    panel, first = scope_forecast.panel, max(0, scope_forecast.panel.days - HISTORY_DAYS)
    promo, dates = promotion_flags(scope_forecast, first, panel.days), panel.dates
    return [
        {
            "date": str(dates[day]),
            "sales": json_number(past[day]),
            "promo": promo[day - first],
            "closed": bool(closed[day]),
        }
        for day in range(first, panel.days)
    ]


def forecast_days(scope_forecast: ScopeForecast, total: Prediction) -> list[dict[str, Any]]:
    """The days ahead with mean, quantiles and what is planned for them."""
    from registry.series.quantiles import QUANTILE_NAMES

    promo = promotion_flags(
        scope_forecast, scope_forecast.panel.days, scope_forecast.panel.days + len(total.dates)
    )
    return [
        {
            "date": str(total.dates[day]),
            "mean": json_number(total.mean[0, day]),
            **{
                name: json_number(total.quantiles[0, day, level]) for level, name in enumerate(QUANTILE_NAMES)
            },
            "promo": promo[day],
            "closed": bool(total.closed[0, day]),
        }
        for day in range(len(total.dates))
    ]


def promotion_flags(scope_forecast: ScopeForecast, start: int, stop: int) -> list[bool | None]:
    """For each day whether most of the chosen series were on promotion; None where nothing says so."""
    name = next((name for name in scope_forecast.panel.known if PROMO_COLUMN.fullmatch(name)), None)
    if name is None:
        return [None] * (stop - start)
    flags = scope_forecast.panel.known[name][scope_forecast.rows, start:stop]
    given, on = (~np.isnan(flags)).sum(axis=0).tolist(), (flags > 0).sum(axis=0).tolist()
    days = [2 * yes >= told if told else None for yes, told in zip(on, given, strict=True)]
    return days + [None] * (stop - start - len(days))


def holdout_days(bundle: Bundle, keys: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """What the model forecast for its last held-back days before it had learned them."""
    if bundle.test_mean is None or not bundle.test_origin:
        return []
    place = {(store, product): row for row, (store, product) in enumerate(bundle.encoder.keys)}
    rows = [place[key] for key in keys if key in place]
    if not rows:
        return []
    mean = bundle.test_mean[rows].sum(axis=0)
    dates = np.datetime64(bundle.test_origin) + np.arange(1, len(mean) + 1)
    return [{"date": str(day), "mean": json_number(value)} for day, value in zip(dates, mean, strict=True)]


def json_number(value: float | np.floating[Any]) -> float | None:
    """Three decimals, and null for what is not known, since JSON has no NaN.

    >>> json_number(1.23456), json_number(float("nan"))
    (1.235, None)
    """
    number = float(value)
    return round(number, 3) if np.isfinite(number) else None
