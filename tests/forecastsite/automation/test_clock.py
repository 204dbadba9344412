"""When a plan comes next: weekdays, time zones, and clocks that are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

import pytest

from forecastsite.automation.clock import DailyTime

EVERY_DAY = frozenset(range(1, 8))


def times(daily: DailyTime, after: datetime, count: int) -> list[str]:
    found = []
    for _each in range(count):
        after = daily.find_next(after)
        found.append(after.strftime("%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("zone", "at", "after", "expected"),
    [
        # 2:30 does not exist on 29 March: the clocks go from 2:00 to 3:00, which is 1:00 UTC
        (
            "Europe/Berlin",
            time(2, 30),
            datetime(2026, 3, 27, 12),
            ["03-28 01:30", "03-29 01:00", "03-30 00:30"],
        ),
        # 2:30 comes twice on 25 October: the first one counts, and only it
        ("Europe/Berlin", time(2, 30), datetime(2026, 10, 24, 12), ["10-25 00:30", "10-26 01:30"]),
        # a whole hour that is left out, and midnight where the clocks change at midnight
        ("America/Santiago", time(0, 0), datetime(2026, 9, 5, 12), ["09-06 04:00", "09-07 03:00"]),
        # half an hour of summer time
        ("Australia/Lord_Howe", time(2, 15), datetime(2026, 10, 3, 10), ["10-03 15:30", "10-04 15:15"]),
        ("Asia/Shanghai", time(4, 0), datetime(2026, 10, 24, 12), ["10-24 20:00", "10-25 20:00"]),
    ],
)
def test_each_day_has_one_moment(zone, at, after, expected):
    assert times(DailyTime(EVERY_DAY, at, zone), after.replace(tzinfo=UTC), len(expected)) == expected


def test_only_the_chosen_weekdays_count():
    daily = DailyTime(frozenset({1, 4}), time(6, 0), "UTC")
    saturday = datetime(2026, 11, 28, tzinfo=UTC)
    assert times(daily, saturday, 3) == ["11-30 06:00", "12-03 06:00", "12-07 06:00"]
    assert DailyTime(frozenset(), time(6, 0), "UTC").find_next(saturday) is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Africa/Casablanca", "Pacific/Apia"])
@pytest.mark.parametrize("at", [time(0, 0), time(1, 59), time(2, 0), time(2, 30), time(3, 0), time(23, 59)])
def test_a_year_has_one_moment_for_each_day(zone, at):
    daily, moment, found = DailyTime(EVERY_DAY, at, zone), datetime(2026, 1, 1, tzinfo=UTC), []
    while moment.year == 2026:
        moment = daily.find_next(moment)
        found.append(moment)
    gaps = {(later - earlier) for earlier, later in pairwise(found)}
    assert len(found) in (365, 366, 367)
    assert all(timedelta(hours=22, minutes=58) <= gap <= timedelta(hours=25, minutes=2) for gap in gaps)
