"""What an order has to meet: the demand that finds no stock without it. Pure numpy.

The order is sold last, since it expires last. What is lost with q units is then max(0, lacking - q), also
with deliveries in between, and every policy is a question about the distribution of `lacking`. Stock that
expires later than the order is taken to be sold before it all the same: where waste has a price, the order
then errs to less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prediction.orders.stock import NEVER, Flags, Floats, Stock, StockCourse, simulate_stock
from prediction.orders.terms import Terms


@dataclass(frozen=True)
class Needs:
    """Without the order, under each path: [N, S] units, and the days that the order protects.

    lacking: unmet from its arrival to the next one, on days on which it can be sold.
    salable: unmet before it would expire; infinite where it does not.
    remaining: stock at the end of the protected days. on_arrival: stock when it arrives.
    expiring: units that expire before the next arrival. demand: units over the protected days.
    lacking_by_day: cumulated over the protected days [N, S, H], and which days these are [S, H].
    """

    lacking: Floats
    salable: Floats
    remaining: Floats
    on_arrival: Floats
    expiring: Floats
    demand: Floats
    lacking_by_day: Floats
    protected: Flags
    course: StockCourse


def assess_needs(stock: Stock, terms: Terms, demand: Floats) -> Needs:
    """The needs of each series under the paths of demand [N, S, H]; H must reach the next arrival.

    Where a shelf life ends after the last day, the paths' mean from the arrival on goes on.
    """
    days = demand.shape[2]
    if (terms.next_arrival > days).any():
        raise ValueError(f"The paths reach {days} days, but an order must last longer.")
    course = simulate_stock(stock, demand)
    day = np.arange(days)[None]  # [1, H]
    start, end = terms.arrival[:, None], terms.next_arrival[:, None]
    until = np.minimum(end, start + terms.shelf_life[:, None])
    protected, after = (day >= start) & (day < end), day >= start
    in_period = course.unmet * ((day >= start) & (day < until))
    places = np.arange(demand.shape[1])
    before = np.maximum(terms.arrival - 1, 0)
    arriving = np.where(stock.first == start, stock.units, 0).sum(axis=1)
    opening = np.where(terms.arrival > 0, course.closing[:, places, before] + arriving, stock.available)
    known = course.unmet * (after & (day < start + terms.shelf_life[:, None]))
    beyond = np.maximum(terms.arrival + np.minimum(terms.shelf_life, NEVER) - days, 0)
    rate = (course.unmet * after).sum(axis=2) / np.maximum(days - terms.arrival, 1)
    salable = np.where(terms.shelf_life >= NEVER, np.inf, known.sum(axis=2) + beyond * rate)
    return Needs(
        lacking=in_period.sum(axis=2),
        salable=salable.astype(np.float32),
        remaining=course.closing[:, places, terms.next_arrival - 1],
        on_arrival=opening.astype(np.float32),
        expiring=(course.wasted * (day < end)).sum(axis=2),
        demand=(demand * protected).sum(axis=2),
        lacking_by_day=np.cumsum(in_period, axis=2),
        protected=protected,
        course=course,
    )


def expected_cost(needs: Needs, terms: Terms, quantity: Floats) -> Floats:
    """Shortage, holding over the protected days and waste that `quantity` [S] leads to: money [S]."""
    lost = np.maximum(needs.lacking - quantity, 0).mean(axis=0)
    kept = np.maximum(quantity[:, None] - needs.lacking_by_day, 0)
    held = (kept.mean(axis=0) * needs.protected).sum(axis=1)
    wasted = np.maximum(quantity - needs.salable, 0).mean(axis=0)
    total: Floats = terms.shortage * lost + terms.holding * held + terms.waste * wasted
    return total
