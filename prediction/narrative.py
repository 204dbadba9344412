"""The analysis of a forecast as sentences that a buyer would say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from prediction.analysis import confidence_level

FLAT_TREND_SHARE = 0.01  # of a usual day, gained per week: less is no trend
SLOW_MOVER_UNITS = 1.0  # units a day: below, single days say little
QUIET_DAYS = 28  # days without a sale that a buyer should hear of
LEVEL_WEEK_SHARE = 0.05  # of a usual day: weekdays that differ less are alike


def build_sentences(content: dict[str, Any]) -> list[str]:
    """Trend, rhythm of the week, highest and lowest day, how sure; what is not known is left out."""
    analysis = content["analysis"]
    usual = analysis["total"] / len(content["forecast"])
    if usual < SLOW_MOVER_UNITS:  # of a slow mover the days all look alike
        told = [describe_slow_mover(usual)]
    else:
        told = [
            describe_trend(analysis.get("trend_per_week"), usual),
            *describe_weekdays(analysis.get("weekly") or []),
        ]
        told += describe_extreme_days(analysis)
    return [
        text for text in [describe_silence(content["history"]), *told, describe_confidence(analysis)] if text
    ]


def describe_silence(history: list[dict[str, Any]]) -> str:
    """Since when nothing was sold, when that is long ago."""
    days = [day["date"] for day in history if day["sales"]]
    if not history or not days:
        return ""
    last, end = date.fromisoformat(days[-1]), date.fromisoformat(history[-1]["date"])
    if (end - last).days < QUIET_DAYS:
        return ""
    words = {"day": date_format(last)}
    return _("Nothing was sold after %(day)s: is it still on the shelf?") % words


def describe_slow_mover(usual: float) -> str:
    """How rarely a slow mover sells."""
    if usual * 365 < 1:
        return _("Hardly anything is expected.")
    days = round(1 / usual)
    text = ngettext(
        "Sells slowly: about one unit in %(n)s day.", "Sells slowly: about one unit in %(n)s days.", days
    )
    return text % {"n": days}


def describe_trend(gain: float | None, usual: float) -> str:
    """Up, down or level, in units a day from week to week."""
    if gain is None or not usual:
        return ""
    if abs(gain) < FLAT_TREND_SHARE * usual:
        return _("Level: from week to week the sales neither rise nor fall.")
    words = {"units": format_round_units(abs(gain)), "share": format_whole_percent(abs(gain) / usual)}
    if gain > 0:
        return _("Rising: each week about %(units)s units a day more (%(share)s).") % words
    return _("Falling: each week about %(units)s units a day less (%(share)s).") % words


def describe_weekdays(weekly: list[float | None]) -> Iterator[str]:
    """The strongest and the weakest weekday against the mean of the open ones; closed weekdays by name."""
    opened = {day: value for day, value in enumerate(weekly) if value}
    if len(weekly) < 7 or None in weekly or len(opened) < 2:
        return
    mean = sum(opened.values()) / len(opened)
    top, low = max(opened, key=opened.__getitem__), min(opened, key=opened.__getitem__)
    if opened[top] - opened[low] < LEVEL_WEEK_SHARE * mean:
        yield _("All weekdays sell about as much.")
    else:
        words = {
            "top": WEEKDAYS[top],
            "more": format_whole_percent(opened[top] / mean - 1),
            "low": WEEKDAYS[low],
            "less": format_whole_percent(1 - opened[low] / mean),
        }
        yield (
            _("%(top)s sells most (%(more)s above an average open day), %(low)s least (%(less)s below).")
            % words
        )
    if closed := [str(WEEKDAYS[day]) for day in range(7) if day not in opened]:
        yield _("Nothing is expected on %(days)s.") % {"days": ", ".join(closed)}


def describe_extreme_days(analysis: dict[str, Any]) -> Iterator[str]:
    """The highest and the lowest open day."""
    if top := analysis.get("peak"):
        yield _("The highest day is %(day)s with about %(units)s units.") % format_day_values(top)
    if low := analysis.get("low_day"):
        yield _("The lowest open day is %(day)s with about %(units)s units.") % format_day_values(low)


def format_day_values(day: dict[str, Any]) -> dict[str, str]:
    when = date.fromisoformat(day["date"])
    return {
        "day": f"{WEEKDAYS[when.weekday()]}, {date_format(when)}",
        "units": format_round_units(day["mean"]),
    }


def describe_confidence(analysis: dict[str, Any]) -> str:
    """What the width of the range means for an order."""
    total, low, high = (analysis[name] or 0.0 for name in ("total", "low", "high"))
    words = {"width": format_whole_percent((high - low) / 2 / total) if total else "–"}
    said = {
        "sure": _("Quite sure: 8 times in 10 off by less than %(width)s; order close to it."),
        "fair": _("Fairly sure: 8 times in 10 off by less than %(width)s; keep some in reserve."),
        "open": _("Unsure: the range is plus or minus %(width)s wide; order in small steps."),
    }
    return said[analysis.get("sure") or confidence_level(total, low, high)] % words


def format_round_units(value: float) -> str:
    digits = 0 if abs(value) >= 10 else 1
    return number_format(round(value, digits), digits, force_grouping=True)


def format_whole_percent(share: float) -> str:
    return f"{number_format(round(share * 100), 0)}%"
