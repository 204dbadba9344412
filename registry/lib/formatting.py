"""Numbers, shares, durations and days as every page writes them."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

DASH = "–"


def format_units(value: float | None) -> str:
    """Whole units with separators; small numbers keep one decimal so that slow movers are not all 0.

    >>> format_units(3049.4), format_units(0.26), format_units(0.04), format_units(None)
    ('3,049', '0.3', '0', '–')
    """
    if value is None:
        return DASH
    digits = 0 if abs(value) >= 10 or abs(value) < 0.05 else 1
    return number_format(round(value, digits), digits, force_grouping=True)


def format_whole_number(value: float | None) -> str:
    """A count with separators."""
    return DASH if value is None else number_format(round(value), 0, force_grouping=True)


def format_percent(value: float | None, digits: int = 1) -> str:
    """A share as per cent.

    >>> format_percent(0.1423), format_percent(0.8, 0), format_percent(None)
    ('14.2%', '80%', '–')
    """
    return DASH if value is None else f"{number_format(round(value * 100, digits), digits)}%"


def format_decimal(value: float | None, digits: int = 3) -> str:
    """A number without unit, rounded; large ones to one decimal.

    >>> format_decimal(0.7604), format_decimal(103.067), format_decimal(None)
    ('0.760', '103.1', '–')
    """
    if value is None:
        return DASH
    digits = 1 if abs(value) >= 10 else digits
    return number_format(round(value, digits), digits)


def bias_text(bias: float | None) -> str:
    """Bias in words: plus means the forecasts were too high."""
    if bias is None:
        return DASH
    if abs(bias) < 0.005:
        return _("even")
    size = format_percent(abs(bias))
    return _("high by %(size)s") % {"size": size} if bias > 0 else _("low by %(size)s") % {"size": size}


def change_text(value: float | None) -> str:
    """A relative change in words, so that nobody has to guess what a bare per cent means."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about as much")
    size = format_percent(abs(value), 0)
    return _("%(size)s more") % {"size": size} if value > 0 else _("%(size)s less") % {"size": size}


def format_fixed(value: float, digits: int = 0) -> str:
    """A number with exactly so many decimals and separators: for columns that add up."""
    return number_format(value, digits, force_grouping=True)


def format_duration(seconds: float | None) -> str:
    """Seconds in words a person would use."""
    if seconds is None:
        return DASH
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return ngettext("%(n)s second", "%(n)s seconds", rest) % {"n": rest}
    if not rest:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": rest}


def last_year_text(value: float | None) -> str:
    """The same change as the end of a sentence; empty when last year is not known."""
    if value is None:
        return ""
    if abs(value) < 0.005:
        return _("about as much as on the same days last year")
    size = format_percent(abs(value), 0)
    if value > 0:
        return _("%(size)s more than on the same days last year") % {"size": size}
    return _("%(size)s less than on the same days last year") % {"size": size}


def format_day(text: str | None) -> str:
    """An ISO day the way this language writes days."""
    return date_format(date.fromisoformat(text[:10])) if text else DASH


def machine_number(value: float | None) -> str:
    """A number for a machine: point as decimal mark, empty for none."""
    return "" if value is None else repr(value)


def sparkline_points(weeks: list[float]) -> str:
    """Points of a line in a box of 100 x 24.

    >>> sparkline_points([0, 5, 10])
    '0.0,23.0 50.0,12.0 100.0,1.0'
    """
    top = max([*weeks, 0]) or 1
    step = 100 / max(1, len(weeks) - 1)
    points = ((step * place, 23 - 22 * max(0, week) / top) for place, week in enumerate(weeks))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
