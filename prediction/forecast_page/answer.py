"""The answer block of a forecast: title, range bar, three facts, and when it was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from prediction.content import Analysis
from prediction.models import Forecast
from registry.labels import forecast_title
from registry.lib.formatting import DASH, format_percent, format_units
from registry.model_versions.error_analysis import BREAKDOWN_KEYS

BAR_ROOM = 1.08  # length of the bar over its largest number
SAME = 0.005  # relative change that counts as none


@dataclass(frozen=True)
class Fact:
    """A number beside the answer, such as ▲ 14%, with the words that explain it."""

    label: str
    value: str
    detail: str = ""
    direction: str = ""  # up, down or none
    metric: str = ""  # whose explanation opens at the label


@dataclass(frozen=True)
class RangeBar:
    """Where the range begins, how wide it is, and where the forecast lies, in percent of a bar from zero."""

    start: float
    width: float
    mark: float


def heading_context(forecast: Forecast) -> dict[str, Any]:
    """What is forecast, from which day on, and when it was made; needs no file."""
    return {
        "forecast": forecast,
        "title": forecast_title(forecast),
        "first_day": forecast.origin + timedelta(days=1),
        "made": describe_moment(forecast.created_at),
    }


def answer_context(forecast: Forecast, analysis: Analysis) -> dict[str, Any]:
    """The range bar and the facts of the answer block."""
    last_year = compare_units(
        _("Against last year"),
        analysis.change_last_year,
        analysis.last_year,
        _("%(units)s units on the same days"),
    )
    days_before = compare_units(
        _("Against the days before"),
        analysis.change_last_period,
        analysis.last_period,
        _("%(units)s units in as many days"),
    )
    facts = [last_year, days_before, describe_test_error(forecast)]
    return {"bar": measure_bar(analysis), "answer_facts": facts}


def describe_moment(moment: datetime) -> str:
    """When the forecast was made, as part of a line."""
    day, today = timezone.localtime(moment).date(), timezone.localdate()
    if day == today:
        return _("made today")
    if (today - day).days == 1:
        return _("made yesterday")
    return _("made %(day)s") % {"day": date_format(day)}


def measure_bar(analysis: Analysis) -> RangeBar | None:
    """The bar of the total; None when nothing is expected.

    >>> measure_bar(Analysis(50.0, 40.0, 100.0))
    RangeBar(start=37.0, width=55.6, mark=46.3)
    """
    low, high = max(0.0, analysis.low), max(analysis.high, analysis.total)
    if high <= 0:
        return None
    whole = high * BAR_ROOM / 100
    places = (low / whole, (high - low) / whole, max(0.0, analysis.total) / whole)
    return RangeBar(*(round(place, 1) for place in places))


def compare_units(label: str, change: float | None, then: float | None, words: str) -> Fact:
    """A relative change as a fact; without a number when the earlier sales are unknown."""
    if change is None:
        return Fact(label, DASH, _("not known"))
    detail = words % {"units": format_units(then)} if then is not None else ""
    if abs(change) < SAME:
        return Fact(label, _("the same"), detail)
    return Fact(label, format_percent(abs(change), 0), detail, "up" if change > 0 else "down")


def describe_test_error(forecast: Forecast) -> Fact:
    """The error of the version on its test days: of this product or store where that was measured."""
    covered = forecast.coverage
    side, code = ("products", covered.product) if covered.product else ("stores", covered.store)
    rows = forecast.version.metrics.get(BREAKDOWN_KEYS[side]) or []
    is_one = bool(code) and not covered.levels
    own = next((row.get("wape") for row in rows if is_one and row["code"] == code), None)
    words = {"products": _("of this product, per day"), "stores": _("of this store, per day")}
    detail = words[side] if own is not None else _("per day and product")
    error = own if own is not None else forecast.version.wape
    return Fact(_("Test error"), format_percent(error), detail, metric="wape")
