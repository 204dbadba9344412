"""Calendar features of a day: weekday, position in month and year, nearby public holidays."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from registry.lib.errors import MessageError, gettext_noop
from registry.series.panel import Days, Floats

YEAR_DAYS = 364  # back to the same weekday last year
YEAR_HARMONICS, MONTH_HARMONICS = 3, 2
# of calendar_features: one weekday each; positions in year and month; public holidays nearby
WEEKDAY_COLUMNS, SEASON_COLUMNS, HOLIDAY_COLUMNS = slice(0, 7), slice(7, 19), slice(19, None)
HOLIDAY_REACH = 10  # days before and after a holiday that it may influence


def weekday_numbers(days: Days) -> NDArray[np.int64]:
    """0 for Monday to 6 for Sunday: [N].

    >>> weekday_numbers(np.array(["2026-11-23"], "datetime64[D]")).tolist()
    [0]
    """
    # day 0 of numpy is 1970-01-01, a Thursday
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _fourier_terms(phase: NDArray[np.float64], count: int) -> list[NDArray[np.float64]]:
    """Sine and cosine of the first `count` harmonics of a phase in [0, 1): 2 x count columns [N]."""
    angles = [2 * np.pi * (k + 1) * phase for k in range(count)]
    return [f(angle) for angle in angles for f in (np.sin, np.cos)]


@lru_cache(maxsize=16)
def _holiday_days(country: str, first_year: int, last_year: int) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Days since 1970 of the country's public holidays, in order, and their names; raises MessageError."""
    import holidays

    if country.upper() not in holidays.list_supported_countries():
        raise MessageError(
            gettext_noop("Country {country} is not known: use a two-letter code such as CN, DE or US."),
            country=repr(country),
        )
    table = holidays.country_holidays(country.upper(), years=range(first_year, last_year + 1))
    found = sorted(table.items())
    days = np.array([np.datetime64(day, "D").astype(np.int64) for day, _name in found], np.int64)
    return days, tuple(name for _day, name in found)


def _holiday_distances(days: NDArray[np.int64], holidays: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Days until the next holiday and since the last one: [N] each, 0 on the day, at most HOLIDAY_REACH."""
    holidays = np.concatenate([[-(10**6)], holidays, [10**6 * 10]])  # so that every day has both neighbours
    after = holidays[np.searchsorted(holidays, days, side="left")] - days
    before = days - holidays[np.searchsorted(holidays, days, side="right") - 1]
    return np.minimum(after, HOLIDAY_REACH).astype(np.float32), np.minimum(before, HOLIDAY_REACH).astype(
        np.float32
    )


def holiday_features(days: Days, country: str) -> list[NDArray[np.float64]]:
    """Flags for a holiday and the days around it, then nearness of the next and last one: 8 columns [N]."""
    if not country:
        return []
    years = days.astype("datetime64[Y]").astype(int) + 1970
    marks, _names = _holiday_days(country, int(years.min()) - 1, int(years.max()) + 1)
    until, since = _holiday_distances(days.astype("datetime64[D]").astype(np.int64), np.unique(marks))
    # the day itself, one to three days before, one and two days after
    flags = [until == 0, until == 1, until == 2, until == 3, since == 1, since == 2]
    return [flag.astype(float) for flag in flags] + [1 - until / HOLIDAY_REACH, 1 - since / HOLIDAY_REACH]


def calendar_features(days: Days, country: str = "", yearly: bool = True) -> Floats:
    """One row per day, every value in [-1, 1]: float32 [N, F].

    Without `yearly` the position in the year is 0: a model that has seen less than two years cannot tell
    season from trend and would extrapolate one as the other.
    """
    days = days.astype("datetime64[D]")
    month, year = days.astype("datetime64[M]"), days.astype("datetime64[Y]")
    of_year = (days - year).astype(int) / 365.25
    waves = [wave * yearly for wave in _fourier_terms(of_year, YEAR_HARMONICS)]
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
    day = (days - month).astype(int)
    columns = [weekday_numbers(days) == k for k in range(7)]
    columns += [*waves, *_fourier_terms(day / length, MONTH_HARMONICS)]
    # F = 19 without a country (7 weekdays, 6 + 4 waves, 2 ends of the month), 27 with one
    columns += [day == 0, day == length - 1, *holiday_features(days, country)]
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def is_holiday(days: Days, country: str) -> NDArray[np.bool_]:
    """True on public holidays of the country: [N]; all False without a country."""
    if not country:
        return np.zeros(len(days), bool)
    years = days.astype("datetime64[Y]").astype(int) + 1970
    marks, _names = _holiday_days(country, int(years.min()), int(years.max()))
    return np.isin(days.astype("datetime64[D]").astype(np.int64), marks)
