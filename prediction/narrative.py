"""The analysis of a forecast in sentences for buyers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.content import Analysis, DayMean, ForecastContent, HistoryDay
from registry.lib.formatting import format_percent, format_units, weekday_date

FLAT_TREND_SHARE = 0.01  # weekly gain as a share of an average day, below which there is no trend
SLOW_MOVER_UNITS = 1.0  # units a day, below which single days say little
QUIET_DAYS = 28  # days without a sale that are worth a warning
LEVEL_WEEK_SHARE = 0.05  # spread of the weekdays as a share of an average day, below which they are alike


def build_sentences(content: ForecastContent) -> list[str]:
    """Trend, weekdays, highest and lowest day; what is unknown is left out."""
    analysis = content.analysis
    usual = analysis.total / len(content.forecast)
    if usual < SLOW_MOVER_UNITS:  # the days of a slow mover all look alike
        details = [describe_slow_mover(usual)]
    else:
        details = [
            describe_trend(analysis.trend_per_week, usual),
            *describe_weekdays(analysis.weekly),
            *describe_extreme_days(analysis),
        ]
    return [text for text in (describe_silence(content.history), *details) if text]


def describe_silence(history: list[HistoryDay]) -> str:
    """The last day with a sale, if that is long ago."""
    days = [day.date for day in history if day.sales]
    if not history or not days:
        return ""
    last, end = date.fromisoformat(days[-1]), date.fromisoformat(history[-1].date)
    if (end - last).days < QUIET_DAYS:
        return ""
    words = {"day": date_format(last)}
    return _("No sales since %(day)s: is it still on the shelf?") % words


def describe_slow_mover(usual: float) -> str:
    """How often a slow mover sells."""
    if usual * 365 < 1:
        return _("Almost no sales are expected.")
    days = round(1 / usual)
    text = ngettext(
        "Slow mover: about one unit in %(n)s day.", "Slow mover: about one unit in %(n)s days.", days
    )
    return text % {"n": days}


def describe_trend(gain: float | None, usual: float) -> str:
    """Rising, falling or flat; `gain` in units a day per week, `usual` in units a day."""
    if gain is None or not usual:
        return ""
    if abs(gain) < FLAT_TREND_SHARE * usual:
        return _("Trend: flat.")
    words = {"units": format_units(abs(gain)), "share": format_percent(abs(gain) / usual, 0)}
    if gain > 0:
        return _("Trend: rising by about %(units)s units a day each week (+%(share)s).") % words
    return _("Trend: falling by about %(units)s units a day each week (−%(share)s).") % words


def describe_weekdays(weekly: list[float | None]) -> Iterator[str]:
    """The strongest and weakest weekday against the mean of the open ones; weekdays without sales."""
    opened = {day: value for day, value in enumerate(weekly) if value}
    if len(weekly) < 7 or None in weekly or len(opened) < 2:
        return
    mean = sum(opened.values()) / len(opened)
    top, low = max(opened, key=opened.__getitem__), min(opened, key=opened.__getitem__)
    if opened[top] - opened[low] < LEVEL_WEEK_SHARE * mean:
        yield _("Sales are about the same on every weekday.")
    else:
        words = {
            "top": WEEKDAYS[top],
            "more": format_percent(opened[top] / mean - 1, 0),
            "low": WEEKDAYS[low],
            "less": format_percent(1 - opened[low] / mean, 0),
        }
        yield _("Best day %(top)s (+%(more)s), weakest %(low)s (−%(less)s).") % words
    if closed := [str(WEEKDAYS[day]) for day in range(7) if day not in opened]:
        yield _("No sales are expected on %(days)s.") % {"days": ", ".join(closed)}


def describe_extreme_days(analysis: Analysis) -> Iterator[str]:
    """The highest and the lowest open day."""
    if analysis.peak:
        yield _("Highest day: %(day)s, about %(units)s units.") % format_day_values(analysis.peak)
    if analysis.low_day:
        text = _("Lowest open day: %(day)s, about %(units)s units.")
        yield text % format_day_values(analysis.low_day)


def format_day_values(day: DayMean) -> dict[str, str]:
    """What a sentence about a day names."""
    return {"day": weekday_date(date.fromisoformat(day.date)), "units": format_units(day.mean)}
