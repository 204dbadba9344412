"""The content of a forecast's file: history, forecast days, test forecast, analysis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.utils import timezone

from prediction.analysis import Line, analyse, sureness
from prediction.breakdown import breakdown
from prediction.engine import Outlook
from registry.datasets.names import names_of

if TYPE_CHECKING:
    from registry.model_versions.bundle import Bundle
    from registry.series.prediction import Prediction

SCHEMA = 1

HISTORY = 730  # days kept in the file, for the chart

PROMO = re.compile(r"(on_?)?promo(tion)?|促销", re.IGNORECASE)


def content(outlook: Outlook) -> dict[str, Any]:
    """The JSON of the file: history, test, forecast, analysis, breakdown, assumptions."""
    _expected, low, high = outlook.prediction.sum_over_days(outlook.rows)
    total = outlook.prediction.total(outlook.rows)
    past, closed = history(outlook)
    days = forecast_days(outlook, total)
    units = round(sum(day["mean"] for day in days), 3)  # so that the days of the file add up to its total
    line = Line(past, total.dates, total.mean[0], total.closed[0])
    return {
        "schema": SCHEMA,
        "version": outlook.version.name,
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "origin": str(total.origin),
        "horizon": len(total.dates),
        "unit": "units",
        "history": history_days(outlook, past, closed),
        "test": test_days(outlook.bundle, [outlook.panel.keys[row] for row in outlook.rows]),
        "forecast": days,
        "analysis": {
            "total": units,
            "low": tidy(low),
            "high": tidy(high),
            "sure": sureness(units, low, high),
            **analyse(line),
        },
        "breakdown": breakdown(outlook, units, names_of(outlook.data)),
        "assumptions": outlook.prediction.assumptions,
    }


def history(outlook: Outlook) -> tuple[npt.NDArray[np.floating[Any]], npt.NDArray[np.bool_]]:
    """[D] sum of sales over the chosen rows (NaN = no record at all), and [D] whether all were closed."""
    sales = outlook.panel.sales[outlook.rows].astype(np.float64)
    past = np.where(np.isnan(sales).all(axis=0), np.nan, np.nansum(sales, axis=0))
    return past, np.asarray(outlook.panel.closed[outlook.rows].all(axis=0))


def history_days(
    outlook: Outlook, past: npt.NDArray[np.floating[Any]], closed: npt.NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """The newest two years, day by day."""
    panel, first = outlook.panel, max(0, outlook.panel.days - HISTORY)
    promo, dates = promotions(outlook, first, panel.days), panel.dates
    return [
        {
            "date": str(dates[day]),
            "sales": tidy(past[day]),
            "promo": promo[day - first],
            "closed": bool(closed[day]),
        }
        for day in range(first, panel.days)
    ]


def forecast_days(outlook: Outlook, total: Prediction) -> list[dict[str, Any]]:
    """The days ahead with mean, quantiles and what is planned for them."""
    from registry.series.quantiles import NAMES

    promo = promotions(outlook, outlook.panel.days, outlook.panel.days + len(total.dates))
    return [
        {
            "date": str(total.dates[day]),
            "mean": tidy(total.mean[0, day]),
            **{name: tidy(total.quantiles[0, day, level]) for level, name in enumerate(NAMES)},
            "promo": promo[day],
            "closed": bool(total.closed[0, day]),
        }
        for day in range(len(total.dates))
    ]


def promotions(outlook: Outlook, start: int, stop: int) -> list[bool | None]:
    """For each day whether most of the chosen series were on promotion; None where nothing says so."""
    name = next((name for name in outlook.panel.known if PROMO.fullmatch(name)), None)
    if name is None:
        return [None] * (stop - start)
    flags = outlook.panel.known[name][outlook.rows, start:stop]
    given, on = (~np.isnan(flags)).sum(axis=0).tolist(), (flags > 0).sum(axis=0).tolist()
    days = [2 * yes >= told if told else None for yes, told in zip(on, given, strict=True)]
    return days + [None] * (stop - start - len(days))


def test_days(bundle: Bundle, keys: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """What the model forecast for its last held-back days before it had learned them."""
    if bundle.test_mean is None or not bundle.test_origin:
        return []
    place = {(store, product): row for row, (store, product) in enumerate(bundle.encoder.keys)}
    rows = [place[key] for key in keys if key in place]
    if not rows:
        return []
    mean = bundle.test_mean[rows].sum(axis=0)
    dates = np.datetime64(bundle.test_origin) + np.arange(1, len(mean) + 1)
    return [{"date": str(day), "mean": tidy(value)} for day, value in zip(dates, mean, strict=True)]


def tidy(value: float | np.floating[Any]) -> float | None:
    """Three decimals, and null for what is not known, since JSON has no NaN.

    >>> tidy(1.23456), tidy(float("nan"))
    (1.235, None)
    """
    number = float(value)
    return round(number, 3) if np.isfinite(number) else None
