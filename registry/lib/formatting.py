"""Numbers, shares, durations and dates as people read them; nothing else formats numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

DASH = "–"
# Our own, because Django calls them 星期一 in Chinese, which is long for a table.
WEEKDAYS = (
    gettext_noop("Mon"),
    gettext_noop("Tue"),
    gettext_noop("Wed"),
    gettext_noop("Thu"),
    gettext_noop("Fri"),
    gettext_noop("Sat"),
    gettext_noop("Sun"),
)


def format_units(value: float | None) -> str:
    """Units with separators; below 10 with one decimal, so that slow movers are not all 0.

    >>> format_units(3049.4), format_units(9.97), format_units(0.26), format_units(0.04), format_units(None)
    ('3,049', '10', '0.3', '0', '–')
    """
    if value is None:
        return DASH
    digits = 0 if abs(value) >= 9.95 or abs(value) < 0.05 else 1
    return number_format(round(value, digits), digits, force_grouping=True)


def format_signed_units(value: float | None) -> str:
    """A difference in units, with its sign.

    >>> format_signed_units(12.4), format_signed_units(-0.26), format_signed_units(0.0)
    ('+12', '−0.3', '0')
    """
    text = format_units(value)
    if not value or text == format_units(0):
        return DASH if value is None else format_units(0)
    return f"+{text}" if value > 0 else text.replace("-", "−")


def format_units_range(low: float, high: float) -> str:
    """Both ends of a range alike: decimals only where the upper end is below 10, too.

    >>> format_units_range(7.04, 122.0), format_units_range(0.3, 4.0)
    ('7–122', '0.3–4.0')
    """
    return f"{format_units(low) if high < 10 else format_whole_number(low)}–{format_units(high)}"


def format_points(value: float | None) -> str:
    """A difference of two shares in percentage points, with its sign.

    >>> format_points(0.034), format_points(-0.2), format_points(None)
    ('+3.4', '−20.0', '–')
    """
    if value is None:
        return DASH
    text = number_format(round(abs(value) * 100, 1), 1)
    return f"−{text}" if value < 0 else f"+{text}"


def format_whole_number(value: float | None) -> str:
    """A whole number with separators."""
    return DASH if value is None else number_format(round(value), 0, force_grouping=True)


def format_percent(value: float | None, digits: int = 1) -> str:
    """A share as a percentage.

    >>> format_percent(0.1423), format_percent(0.8, 0), format_percent(None)
    ('14.2%', '80%', '–')
    """
    return DASH if value is None else f"{number_format(round(value * 100, digits), digits)}%"


def format_decimal(value: float | None, digits: int = 3) -> str:
    """A number without a unit; from 10 on with one decimal.

    >>> format_decimal(0.7604), format_decimal(103.067), format_decimal(None)
    ('0.760', '103.1', '–')
    """
    if value is None:
        return DASH
    digits = 1 if abs(value) >= 10 else digits
    return number_format(round(value, digits), digits)


def bias_text(bias: float | None) -> str:
    """Bias in words; positive means that forecasts were too high.

    >>> bias_text(0.03), bias_text(-0.124), bias_text(0.001)
    ('3.0% too high', '12.4% too low', 'balanced')
    """
    if bias is None:
        return DASH
    if abs(bias) < 0.005:
        return _("balanced")
    size = format_percent(abs(bias))
    return (_("%(size)s too high") if bias > 0 else _("%(size)s too low")) % {"size": size}


def gain_text(gain: float | None) -> str:
    """How much better a forecast is than another, in words.

    >>> gain_text(0.36), gain_text(-0.04), gain_text(0.001)
    ('36% better', '4% worse', 'about the same')
    """
    if gain is None:
        return DASH
    if abs(gain) < 0.005:
        return _("about the same")
    size = format_percent(abs(gain), 0)
    return (_("%(size)s better") if gain > 0 else _("%(size)s worse")) % {"size": size}


def change_text(value: float | None) -> str:
    """A relative change in words, empty if unknown."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about the same")
    size = format_percent(abs(value), 0)
    return (_("%(size)s more") if value > 0 else _("%(size)s less")) % {"size": size}


def format_fixed(value: float, digits: int = 0) -> str:
    """A number with separators and a fixed number of decimals, for columns that add up."""
    return number_format(value, digits, force_grouping=True)


def format_duration(seconds: float | None) -> str:
    """A duration in seconds, or minutes and seconds."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return ngettext("%(n)s second", "%(n)s seconds", rest) % {"n": rest}
    if not rest:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


def last_year_text(value: float | None) -> str:
    """The change against last year as the end of a sentence; empty if last year is unknown."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about the same as on the same days last year")
    size = format_percent(abs(value), 0)
    if value > 0:
        return _("%(size)s more than on the same days last year") % {"size": size}
    return _("%(size)s less than on the same days last year") % {"size": size}


def join_names(names: Iterable[str]) -> str:
    """Names as a list in a sentence."""
    return _(", ").join(names)


def format_day(text: str | None) -> str:
    """An ISO date in the format of the current language."""
    return date_format(date.fromisoformat(text[:10])) if text else DASH


def weekday_date(day: date) -> str:
    """A day of a table with its weekday: Sun, 1 Nov 2026.

    >>> weekday_date(date(2026, 11, 1))
    'Sun, 1 Nov 2026'
    """
    words = {"weekday": _(WEEKDAYS[day.weekday()]), "day": date_format(day)}
    return _("%(weekday)s, %(day)s") % words


def format_moment(moment: datetime) -> str:
    """The time of day of something that happened today, otherwise its day."""
    here = timezone.localtime(moment)
    return date_format(here, "H:i" if here.date() == timezone.localdate() else "DATE_FORMAT")


def machine_number(value: float | None) -> str:
    """A number for JavaScript and attributes: never localized, empty for None."""
    return "" if value is None else repr(value)


def sparkline_points(weeks: list[float]) -> str:
    """SVG points of a line in a box of 100 by 24.

    >>> sparkline_points([0, 5, 10])
    '0.0,23.0 50.0,12.0 100.0,1.0'
    """
    top = max([*weeks, 0]) or 1
    step = 100 / max(1, len(weeks) - 1)
    points = ((step * place, 23 - 22 * max(0, week) / top) for place, week in enumerate(weeks))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
