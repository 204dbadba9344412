"""Replay: a rule orders through weeks of the past, day by day, against what was really sold. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prediction.orders.stock import NEVER, Flags, Floats, Ints, Stock, simulate_stock

# (column of the first day ahead, stock as of then) -> units ordered [S]
Decide = Callable[[int, Stock], Floats]


@dataclass(frozen=True)
class Plan:
    """Which days are replayed: columns of the sales. An order of the evening before column c can be sold
    from column c + arrival on; orders are placed before `first` and every `review` days, the last one early
    enough to arrive, unless `goes_on`."""

    first: int
    days: int
    arrival: int
    review: int
    shelf_life: int | Ints = NEVER  # of all, or of each series [S]
    goes_on: bool = False

    @property
    def order_columns(self) -> list[int]:
        """Columns before which an order is placed."""
        end = self.first + self.days - (0 if self.goes_on else self.arrival)
        return list(range(self.first, end, self.review))


@dataclass(frozen=True)
class Replay:
    """What happened, day by day [S, days]: demand (NaN = unknown: nothing is sold or counted), lost units,
    stock at the end, wasted units, stock at the start; units ordered [S, orders], and the stock after it."""

    demand: Floats
    lost: Floats
    closing: Floats
    wasted: Floats
    opening: Floats
    ordered: Floats
    left: Stock
    plan: Plan

    @property
    def counted(self) -> Flags:
        """Days of known demand on which orders could have arrived: [S, days]."""
        late = np.arange(self.demand.shape[1]) >= self.plan.arrival
        return ~np.isnan(self.demand) & late[None]


def run_replay(sales: Floats, stock: Stock, plan: Plan, decide: Decide) -> Replay:
    """Plays the plan on sales [S, D] from this stock; `decide` must not look at sales from its column on.

    Units are conserved: opening stock and arrivals = sold + wasted + closing stock.
    """
    demand = sales[:, plan.first : plan.first + plan.days]
    wants = np.nan_to_num(demand).astype(np.float32)
    parts: list[Floats] = []
    wasted_parts, closing_parts, ordered, openings = [], [], [], []
    columns = plan.order_columns
    ends = [*columns[1:], plan.first + plan.days]
    for column, end in zip(columns, ends, strict=True):
        units = np.asarray(decide(column, stock), np.float32)
        ordered.append(units)
        first = np.full(len(units), plan.arrival)
        stock = stock.add_batch(units, first, np.minimum(first + plan.shelf_life, NEVER + 1) - 1)
        part = wants[None, :, column - plan.first : end - plan.first]
        course = simulate_stock(stock, part)
        arrives = np.stack(
            [np.where(stock.first == day, stock.units, 0).sum(axis=1) for day in range(part.shape[2])], axis=1
        )
        arrives[:, 0] = stock.available
        before = np.concatenate([np.zeros((len(units), 1)), course.closing[0][:, :-1]], axis=1)
        openings.append(before + arrives)
        parts.append(course.unmet[0])
        wasted_parts.append(course.wasted[0])
        closing_parts.append(course.closing[0])
        stock = _move_on(stock, course.left[0], end - column)
    lost, wasted, closing, opening = (
        np.concatenate(rows, axis=1).astype(np.float32)
        for rows in (parts, wasted_parts, closing_parts, openings)
    )
    return Replay(demand, lost, closing, wasted, opening, np.stack(ordered, axis=1), stock, plan)


def _move_on(stock: Stock, left: Floats, days: int) -> Stock:
    """The stock some days later, without empty batches; what does not expire and is there is one batch."""
    last = np.where(stock.last >= NEVER, NEVER, stock.last - days)
    first = np.maximum(stock.first - days, 0)
    plain = (first == 0) & (last == NEVER)
    merged = Stock.on_hand(np.where(plain, left, 0).sum(axis=1))
    for place in range(left.shape[1]):
        units = np.where(plain[:, place], 0, left[:, place])
        if units.any():
            merged = merged.add_batch(units, first[:, place], last[:, place])
    return merged
