"""Forecasting: a version and a choice of series to the content of a forecast's file.

Bundles, panels and predictions of whole scopes are kept in memory, a few of each, so that the second forecast
of a version is quick.
Torch is imported inside functions only: Django starts without it.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from prediction.analysis import Line, analyse, sureness
from prediction.breakdown import breakdown
from registry.artifacts import CorruptArtifact
from registry.models import DatasetVersion, ModelVersion
from registry.names import names_of
from registry.scope import Scope

if TYPE_CHECKING:
    from registry.series.bundle import Bundle
    from registry.series.panel import Panel
    from registry.series.prediction import Prediction

SCHEMA = 1
HISTORY = 730  # days kept in the file, for the chart
PROMO = re.compile(r"(on_?)?promo(tion)?|促销", re.IGNORECASE)
Rows = npt.NDArray[np.intp]
Value = TypeVar("Value")


class ForecastError(ValueError):
    """The forecast cannot be made. The text is one sentence for people."""


class Recent(Generic[Value]):
    """The last few values made, by key.

    >>> recent = Recent(1)
    >>> recent.get("a", lambda: 1), recent.get("a", lambda: 2)
    (1, 1)
    >>> recent.get("b", lambda: 3), recent.get("a", lambda: 4)
    (3, 4)
    """

    def __init__(self, size: int) -> None:
        self.size, self.values, self.lock = size, OrderedDict[Hashable, Value](), Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
                return self.values[key]
        value = make()  # outside the lock: two threads may both make it, none waits for a stranger's
        with self.lock:
            self.values[key] = value
            while len(self.values) > self.size:
                self.values.popitem(last=False)
        return value


BUNDLES: Recent[Bundle] = Recent(4)
PANELS: Recent[Panel] = Recent(2)
PREDICTIONS: Recent[Prediction] = Recent(4)
LARGEST = 1_000_000  # series times days of a prediction that is kept: 32 MB


@dataclass(frozen=True)
class Outlook:
    """What a version expects of its scope, or of the chosen series of it."""

    version: ModelVersion
    data: DatasetVersion
    bundle: Bundle
    panel: Panel
    prediction: Prediction
    rows: Rows  # of panel and prediction: those that were asked for


def load_bundle(version: ModelVersion) -> Bundle:
    """The learned model; its file is read and checked each time, but built only once."""
    from registry.series.bundle import Bundle

    content = version.read()
    return BUNDLES.get(version.sha256, lambda: Bundle.from_bytes(content))


def load_panel(data: DatasetVersion, scope: Scope) -> Panel:
    from registry.sales import read_panel

    return PANELS.get((data.pk, scope), lambda: read_panel(data, scope))


def look_ahead(
    version: ModelVersion, store: str, product: str, horizon: int, data: DatasetVersion | None = None
) -> Outlook:
    """Forecasts the version's scope, without `data` from the newest sales; raises a ValueError."""
    check_horizon(horizon)
    data = data or version.model.dataset.current
    if data is None:
        raise ForecastError(_("%(dataset)s has no sales yet.") % {"dataset": version.model.dataset})
    try:
        bundle, panel = load_bundle(version), load_panel(data, version.model.scope)
    except CorruptArtifact as problem:
        raise ForecastError(str(problem)) from None
    rows = chosen(panel, store, product, version)
    if len(rows) == 1:  # one series needs no other to be forecast
        panel, rows = panel.select(rows), np.arange(1)
        return Outlook(version, data, bundle, panel, bundle.forecast(panel, horizon), rows)
    key = (version.sha256, data.pk, version.model.scope, horizon)
    return Outlook(version, data, bundle, panel, predict_all(bundle, panel, horizon, key), rows)


def predict_all(bundle: Bundle, panel: Panel, horizon: int, key: Hashable) -> Prediction:
    """What the model expects of its whole scope; kept, for every total of it begins with the same."""
    if len(panel.keys) * horizon > LARGEST:
        return bundle.forecast(panel, horizon)
    return PREDICTIONS.get(key, lambda: bundle.forecast(panel, horizon))


def check_horizon(horizon: int) -> None:
    """Raises ForecastError for a horizon that nobody should trust."""
    if not 1 <= horizon <= settings.MAX_HORIZON:
        words = {"days": horizon, "most": settings.MAX_HORIZON}
        raise ForecastError(_("%(days)d days ahead cannot be forecast: use 1 to %(most)d.") % words)


def chosen(panel: Panel, store: str, product: str, version: ModelVersion) -> Rows:
    """Rows of a store, a product, one series, or (both empty) all; raises ForecastError for no row."""
    fits = [(not store or s == store) and (not product or p == product) for s, p in panel.keys]
    rows = np.flatnonzero(fits)
    if not len(rows):
        wanted = " · ".join(code for code in (product, store) if code)
        words = {"version": version, "wanted": wanted, "near": " · ".join(reversed(panel.keys[0]))}
        raise ForecastError(_("%(version)s does not know %(wanted)s: it knows %(near)s and others.") % words)
    return rows


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
    from registry.series.prediction import NAMES

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


def restricted(outlook: Outlook, scope: Scope) -> Outlook:
    """Only the rows of a narrower scope."""
    place = {"store": {"store": scope.code}, "product": {"product": scope.code}}.get(scope.kind, {})
    rows = chosen(outlook.panel, place.get("store", ""), place.get("product", ""), outlook.version)
    return replace(outlook, rows=rows)
