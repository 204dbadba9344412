"""When an order placed today can be sold, and when the one after it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

SEARCHED_DAYS = 400  # after which a supplier that never delivers is taken for a mistake
DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Supplier:
    """Lead days from order to shelf; orders on `weekdays` (0 = Monday) or, without any, every `review_days`.

    On `shut` days the supplier neither takes an order nor delivers: both move to the next open day.
    """

    lead_days: int
    review_days: int = 7
    weekdays: Collection[int] = ()
    shut: Collection[np.datetime64] = ()

    def __post_init__(self) -> None:
        if self.lead_days < 0 or self.review_days < 1:
            raise ValueError("Lead days must not be below 0, and review days must be 1 or more.")
        if not set(self.weekdays) <= set(range(7)):
            raise ValueError("Weekdays are numbers from 0, Monday, to 6, Sunday.")

    def takes_orders_on(self, day: np.datetime64) -> bool:
        """Whether an order can be placed on that day."""
        weekday = (int(day.astype("datetime64[D]").astype(np.int64)) + 3) % 7
        return day not in set(self.shut) and (not self.weekdays or weekday in self.weekdays)

    def find_order_day(self, day: np.datetime64) -> np.datetime64:
        """The first day from `day` on which an order can be placed; raises ValueError if there is none."""
        for later in range(SEARCHED_DAYS):
            if self.takes_orders_on(day + later * DAY):
                return day + later * DAY
        raise ValueError(f"The supplier takes no order in the {SEARCHED_DAYS} days from {day}.")

    def find_delivery_day(self, ordered: np.datetime64) -> np.datetime64:
        """The day on which an order of that day can first be sold."""
        day, shut = ordered + self.lead_days * DAY, set(self.shut)
        while day in shut:
            day += DAY
        return day


def plan_arrivals(supplier: Supplier, counted: np.datetime64) -> tuple[int, int]:
    """Days ahead of the stock count on which the coming order, and the one after it, can first be sold.

    Column 0 is the day after the count, so an order placed on the evening of the count with a lead time of
    three days is sold from column 2 on:

    >>> plan_arrivals(Supplier(lead_days=3), np.datetime64("2026-11-23"))
    (2, 9)
    """
    ordered = supplier.find_order_day(counted)
    arrives = supplier.find_delivery_day(ordered)
    again = ordered + (DAY if supplier.weekdays else supplier.review_days * DAY)
    follows = arrives
    while follows <= arrives:  # a holiday may bring two orders on the same day
        again = supplier.find_order_day(again)
        follows, again = supplier.find_delivery_day(again), again + DAY
    first = counted + DAY
    return max(0, int((arrives - first) / DAY)), max(1, int((follows - first) / DAY))
