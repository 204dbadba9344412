"""The analysis of a forecast in sentences for buyers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.analysis import confidence_level
from prediction.content import Analysis, DayMean, ForecastContent, HistoryDay
from registry.lib.formatting import format_percent, format_units

FLAT_TREND_SHARE = 0.01  # weekly gain as a share of an average day, below which there is no trend
SLOW_MOVER_UNITS = 1.0  # units a day, below which single days say little
QUIET_DAYS = 28  # days without a sale that are worth a warning
LEVEL_WEEK_SHARE = 0.05  # spread of the weekdays as a share of an average day, below which they are alike


def build_sentences(content: ForecastContent) -> list[str]:
    """Trend, weekdays, highest and lowest day, confidence; what is unknown is left out."""
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
    sentences = [describe_silence(content.history), *details, describe_confidence(analysis)]
    return [text for text in sentences if text]


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
    """Rising, falling or stable; `gain` in units a day per week, `usual` in units a day."""
    if gain is None or not usual:
        return ""
    if abs(gain) < FLAT_TREND_SHARE * usual:
        return _("Stable: sales neither rise nor fall from week to week.")
    words = {"units": format_units(abs(gain)), "share": format_percent(abs(gain) / usual, 0)}
    if gain > 0:
        return _("Rising: about %(units)s more units a day each week (%(share)s).") % words
    return _("Falling: about %(units)s fewer units a day each week (%(share)s).") % words


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
        yield (
            _(
                "%(top)s is the strongest day (%(more)s above an average open day), "
                "%(low)s the weakest (%(less)s below)."
            )
            % words
        )
    if closed := [str(WEEKDAYS[day]) for day in range(7) if day not in opened]:
        yield _("No sales are expected on %(days)s.") % {"days": ", ".join(closed)}


def describe_extreme_days(analysis: Analysis) -> Iterator[str]:
    """The highest and the lowest open day."""
    if analysis.peak:
        yield _("The highest day is %(day)s, with about %(units)s units.") % format_day_values(analysis.peak)
    if analysis.low_day:
        text = _("The lowest open day is %(day)s, with about %(units)s units.")
        yield text % format_day_values(analysis.low_day)


def format_day_values(day: DayMean) -> dict[str, str]:
    when = date.fromisoformat(day.date)
    return {
        "day": f"{WEEKDAYS[when.weekday()]}, {date_format(when)}",
        "units": format_units(day.mean),
    }


def describe_confidence(analysis: Analysis) -> str:
    """What the width of the interval means for an order."""
    total, low, high = analysis.total, analysis.low or 0.0, analysis.high or 0.0
    words = {"width": format_percent((high - low) / 2 / total, 0) if total else "–"}
    sentences = {
        "sure": _(
            "High confidence: 8 times in 10, sales are within %(width)s of the forecast. Order close to it."
        ),
        "fair": _(
            "Medium confidence: 8 times in 10, sales are within %(width)s of the forecast. "
            "Keep some in reserve."
        ),
        "open": _("Low confidence: the range is plus or minus %(width)s. Order in small steps."),
    }
    return sentences[analysis.sure or confidence_level(total, low, high)] % words
