"""When a time of day comes next, whatever summer time does. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

UTC = dt.UTC
DAYS_AHEAD = 8  # among which each weekday comes


@dataclass(frozen=True)
class DailyTime:
    """A time of day on some weekdays, 1 is Monday and 7 Sunday, by the clocks of a time zone.

    A time that the clocks leave out is the moment at which they are put forward; of one that comes twice the
    first counts.
    """

    weekdays: frozenset[int]
    at: dt.time
    time_zone: str

    def find_next(self, after: dt.datetime) -> dt.datetime | None:
        """The first such moment after `after`, in UTC; None without weekdays.

        >>> early = DailyTime(frozenset({7}), dt.time(2, 30), "Europe/Berlin")
        >>> early.find_next(dt.datetime(2026, 3, 28, 12, tzinfo=UTC)).isoformat()
        '2026-03-29T01:00:00+00:00'
        """
        zone = ZoneInfo(self.time_zone)
        today = after.astimezone(zone).date()
        for step in range(DAYS_AHEAD):
            day = today + dt.timedelta(days=step)
            moment = find_moment(dt.datetime.combine(day, self.at), zone)
            if day.isoweekday() in self.weekdays and moment > after:
                return moment
        return None


def find_moment(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The moment in UTC at which clocks show this; where they leave it out, that of their jump."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    shown = moment.astimezone(zone).replace(tzinfo=None)
    if shown == local:
        return moment
    # The clocks jump past it. `moment` counts with the offset before the jump, so it lies after the jump by
    # as much as `local` lies after the first time left out.
    before = local.replace(tzinfo=zone).utcoffset() or dt.timedelta(0)
    low, high = moment - (shown - local), moment
    while high - low > dt.timedelta(seconds=1):
        middle = low + (high - low) / 2
        is_before_jump = middle.astimezone(zone).utcoffset() == before
        low, high = (middle, high) if is_before_jump else (low, middle)
    return high.replace(microsecond=0)
