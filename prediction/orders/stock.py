"""Stock by batch, and its course over the days ahead: arrivals, sales first-expired-first-out, waste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NEVER = 10**6  # a day ahead that never comes: the last day of what does not expire


@dataclass(frozen=True)
class Stock:
    """Batches of each series: units [S, B], sold from day `first` [S, B] to day `last` [S, B], both included.

    Days are columns of the days ahead: first is 0 for what is on hand, later for what is on order.
    """

    units: Floats
    first: Ints
    last: Ints

    def __post_init__(self) -> None:
        if not self.units.shape == self.first.shape == self.last.shape:
            raise ValueError("Units, first and last days of stock have different shapes.")
        if not (np.isfinite(self.units).all() and (self.units >= 0).all()):
            raise ValueError("Stock must be a number, not below 0.")

    @classmethod
    def on_hand(cls, units: Floats) -> Stock:
        """One batch of each series [S] that does not expire."""
        shape = (len(units), 1)
        return cls(
            np.asarray(units, np.float32)[:, None], np.zeros(shape, np.int64), np.full(shape, NEVER, np.int64)
        )

    def add_batch(self, units: Floats, first: Ints, last: Ints | None = None) -> Stock:
        """With another batch [S] of each series."""
        ends = np.full(len(units), NEVER, np.int64) if last is None else last
        return Stock(
            np.column_stack([self.units, units]).astype(np.float32),
            np.column_stack([self.first, first]),
            np.column_stack([self.last, ends]),
        )

    def select(self, rows: NDArray[np.intp]) -> Stock:
        """Only these series."""
        return Stock(self.units[rows], self.first[rows], self.last[rows])

    @property
    def available(self) -> Floats:
        """Units that can be sold today: [S]."""
        now = (self.first <= 0) & (self.last >= 0)
        units: Floats = np.where(now, self.units, 0).sum(axis=1, dtype=np.float32)
        return units

    @property
    def on_order(self) -> Floats:
        """Units that arrive later: [S]."""
        units: Floats = np.where(self.first > 0, self.units, 0).sum(axis=1, dtype=np.float32)
        return units


@dataclass(frozen=True)
class StockCourse:
    """Day by day: units that found no stock, that expired and that remain: [N, S, H] each.

    left: what remains of every batch after the last day, [N, S, B] in the order of the stock's batches.
    """

    unmet: Floats
    wasted: Floats
    closing: Floats
    left: Floats


def simulate_stock(stock: Stock, demand: Floats) -> StockCourse:
    """The course of the stock under each path of demand [N, S, H]. What is not sold on the day is lost."""
    paths, series, days = demand.shape
    order = np.argsort(stock.last, axis=1, kind="stable")
    units = np.take_along_axis(stock.units, order, axis=1)
    first = np.take_along_axis(stock.first, order, axis=1)
    last = np.take_along_axis(stock.last, order, axis=1)
    batches = units.shape[1]
    left = [np.repeat(units[None, :, place], paths, axis=0) for place in range(batches)]  # [N, S] each
    unmet, wasted, closing = (np.zeros((paths, series, days), np.float32) for _part in range(3))
    stale = (last < 0) & (units > 0)  # expired before the first day: wasted on it
    for place in np.flatnonzero(stale.any(axis=0)).tolist():
        wasted[:, stale[:, place], 0] += left[place][:, stale[:, place]]
        left[place][:, stale[:, place]] = 0
    for day in range(days):
        wants = demand[..., day].copy()
        for place in range(batches):
            on_shelf = (first[:, place] <= day) & (last[:, place] >= day)
            if not on_shelf.any():
                continue
            sold = np.minimum(left[place], wants) * on_shelf
            left[place] -= sold
            wants -= sold
            ends = last[:, place] == day
            if ends.any():
                wasted[:, ends, day] += left[place][:, ends]
                left[place][:, ends] = 0
            closing[..., day] += left[place] * on_shelf
        unmet[..., day] = wants
    back = np.argsort(order, axis=1)
    remains = np.stack(left, axis=2)
    return StockCourse(
        unmet, wasted, closing, np.take_along_axis(remains, np.broadcast_to(back, remains.shape), axis=2)
    )
