"""Days as numbers: files and arrays hold a day as the count of days since 1970-01-01."""

from __future__ import annotations

import datetime as dt

EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """Days since 1970-01-01, negative before it.

    >>> day_number(dt.date(2020, 2, 29)), day_number(dt.date(1969, 12, 31))
    (18321, -1)
    """
    return (day - EPOCH).days


def from_day_number(number: int) -> dt.date:
    """The day of that number.

    >>> from_day_number(18321)
    datetime.date(2020, 2, 29)
    """
    return EPOCH + dt.timedelta(days=int(number))
