"""What a replay cost: service, stock and money, of all lines or of a class of them. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prediction.orders.needs import assess_needs
from prediction.orders.replay import Replay
from prediction.orders.stock import Floats, Stock
from prediction.orders.terms import Terms


@dataclass(frozen=True)
class Prices:
    """Money: of a unit bought and sold, of a unit held for a day and of one wasted; one value or [S]."""

    unit_cost: Floats | float = 1.0
    margin: Floats | float = 1.0
    holding: Floats | float = 0.01
    waste: Floats | float = 1.0


@dataclass(frozen=True)
class Measures:
    """Figures of a replay over days of known demand from the first arrival on.

    fill_rate: share of demand sold; cycle_service: share of order cycles without a lost unit;
    empty_days: share of days on which a sale was lost or nothing stood on the shelf all day;
    stock_units, stock_days, stock_money: at the end of a day on average, in units, days of demand and money.
    """

    demand: float
    lost_units: float
    lost_margin: float
    fill_rate: float
    cycle_service: float
    empty_days: float
    stock_units: float
    stock_days: float
    stock_money: float
    wasted_units: float
    wasted_money: float
    orders: int
    total_cost: float


def measure_replay(replay: Replay, prices: Prices, rows: np.ndarray | None = None) -> Measures:
    """The figures of these rows, or of all."""
    size = len(replay.demand)
    chosen = np.arange(size) if rows is None else np.asarray(rows)
    counted = replay.counted[chosen]
    demand, lost, closing, wasted = (
        np.where(counted, part[chosen], 0)
        for part in (replay.demand, replay.lost, replay.closing, replay.wasted)
    )
    unit_cost, margin, holding, waste = (
        np.broadcast_to(np.asarray(price, np.float32), size)[chosen]
        for price in (prices.unit_cost, prices.margin, prices.holding, prices.waste)
    )
    days, sold_days = max(1, replay.plan.days - replay.plan.arrival), max(1, int(counted.sum()))
    empty = counted & ((lost > 0) | (replay.opening[chosen] <= 0))
    wants, misses = float(demand.sum()), float(lost.sum())
    stock = float(closing.sum()) / days
    cost = lost.sum(axis=1) * margin + closing.sum(axis=1) * holding + wasted.sum(axis=1) * waste
    return Measures(
        demand=wants,
        lost_units=misses,
        lost_margin=float((lost.sum(axis=1) * margin).sum()),
        fill_rate=1 - misses / wants if wants else 1.0,
        cycle_service=_count_cycles(replay, chosen),
        empty_days=float(empty.sum()) / sold_days,
        stock_units=stock,
        stock_days=stock * days / wants if wants else 0.0,
        stock_money=float((closing.sum(axis=1) * unit_cost).sum()) / days,
        wasted_units=float(wasted.sum()),
        wasted_money=float((wasted.sum(axis=1) * waste).sum()),
        orders=int((replay.ordered[chosen] > 0).sum()),
        total_cost=float(cost.sum()),
    )


def _count_cycles(replay: Replay, rows: np.ndarray) -> float:
    """Share of whole cycles, from one arrival to the next, in which nothing was lost."""
    plan, counted = replay.plan, replay.counted[rows]
    whole = (plan.days - plan.arrival) // plan.review
    span = slice(plan.arrival, plan.arrival + whole * plan.review)
    shape = (len(rows), whole, plan.review)
    known = counted[:, span].reshape(shape).any(axis=2)
    lost = (np.where(counted, replay.lost[rows], 0)[:, span].reshape(shape) > 0).any(axis=2)
    return float((known & ~lost).sum() / max(1, known.sum()))


def foresee(sales: Floats, replay_days: tuple[int, int], column: int, stock: Stock) -> Floats:
    """What an order would be if the sales [S, D] were known: just what is missing until the next one, [S].

    replay_days: days until this order and until the next one can be sold.
    """
    arrival, following = replay_days
    ahead = np.nan_to_num(sales[:, column : column + following]).astype(np.float32)
    short = following - ahead.shape[1]
    ahead = np.pad(ahead, ((0, 0), (0, short)))
    needs = assess_needs(stock, Terms.build(len(ahead), arrival, following), ahead[None])
    return np.ceil(needs.lacking[0] - 1e-4)
