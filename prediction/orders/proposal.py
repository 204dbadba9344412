"""A line of an order for each series, with the figures that explain it. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from prediction.orders.needs import Needs, assess_needs
from prediction.orders.quantity import choose_quantities
from prediction.orders.stock import Floats, Ints, Stock
from prediction.orders.terms import Policy, Terms

CHUNK_CELLS = 20_000_000  # paths x series x days that are worked on at once: 80 MB for each of some tables
NO_ORDER, ORDER, URGENT = 0, 1, 2
VERDICTS = ("none", "order", "urgent")
ReadPaths = Callable[[NDArray[np.intp]], Floats]  # rows [R] -> demand [N, R, H]


@dataclass(frozen=True)
class Lines:
    """Of each line [S]; units unless said otherwise.

    expected: demand until the next order arrives, lost_before of it before this one can help;
    safety: what is ordered up to beyond the rest, and
    quantile: the share of the paths whose demand over the protected days the order meets.
    cover_days: days that stock, arrivals and order last at the expected rate.
    run_out_day: the day ahead on which half the paths have run out without the order, -1 = none;
    run_out_chance: that they run out before the next order arrives.
    """

    quantity: Floats
    expected: Floats
    lost_before: Floats
    safety: Floats
    quantile: Floats
    on_hand: Floats
    on_order: Floats
    expiring: Floats
    needed: Floats
    rounding: Floats
    limits: Floats
    cover_days: Floats
    run_out_day: Ints
    run_out_chance: Floats
    verdict: Ints

    def describe(self, row: int) -> dict[str, float | int | str]:
        """The figures of one line as plain data; its verdict as a word.

        needed + limits + rounding = quantity, and on_hand + on_order - expiring + quantity
        = expected - lost_before + safety.
        """
        found: dict[str, float | int | str] = {
            field.name: getattr(self, field.name)[row].item() for field in fields(self)
        }
        return found | {"verdict": VERDICTS[int(self.verdict[row])]}


def propose_lines(stock: Stock, terms: Terms, policy: Policy, read_paths: ReadPaths, paths: int) -> Lines:
    """The lines of all series; `read_paths` gives `paths` sample paths of some rows, so that memory is bound.

    The paths must reach the next arrival.
    """
    series = len(terms.arrival)
    size = max(1, CHUNK_CELLS // (paths * int(terms.next_arrival.max())))
    parts = []
    for start in range(0, series, size):
        rows = np.arange(start, min(series, start + size))
        parts.append(_propose(stock.select(rows), terms.select(rows), policy, read_paths(rows)))
    if not parts:
        raise ValueError("There are no lines to order.")
    return Lines(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Lines)
        }
    )


def _propose(stock: Stock, terms: Terms, policy: Policy, demand: Floats) -> Lines:
    needs = assess_needs(stock, terms, demand)
    chosen = choose_quantities(needs, terms, policy)
    day = np.arange(demand.shape[2])[None]
    until = day < terms.next_arrival[:, None]
    expected = (demand.mean(axis=0) * until).sum(axis=1)
    expiring, on_hand = needs.expiring.mean(axis=0), stock.available
    # of what is on order, only what comes before the next order does can help it
    coming = (stock.first > 0) & (stock.first < terms.next_arrival[:, None])
    on_order = np.where(coming, stock.units, 0).sum(axis=1)
    position = on_hand + on_order - expiring + chosen.ordered
    rate = expected / terms.next_arrival
    out = _find_run_out(needs, until)
    chance = out.mean(axis=0)[:, -1]
    before = out & (day < np.maximum(terms.arrival, 1)[:, None])
    lost_before = (needs.course.unmet * (day < terms.arrival[:, None])).sum(axis=2).mean(axis=0)
    is_urgent = before.any(axis=2).mean(axis=0) >= 0.5
    verdict = np.where(chosen.ordered > 0, np.where(is_urgent, URGENT, ORDER), NO_ORDER)
    half = out.mean(axis=0) >= 0.5
    return Lines(
        quantity=chosen.ordered,
        expected=expected.astype(np.float32),
        lost_before=lost_before,
        safety=(position - expected + lost_before).astype(np.float32),
        quantile=(needs.lacking <= chosen.ordered + 1e-4).mean(axis=0).astype(np.float32),
        on_hand=on_hand,
        on_order=on_order.astype(np.float32),
        expiring=expiring,
        needed=chosen.needed,
        rounding=chosen.ordered - chosen.limited,
        limits=chosen.limited - chosen.needed,
        cover_days=np.divide(position, rate, out=np.full(len(rate), np.inf, np.float32), where=rate > 0),
        run_out_day=np.where(half.any(axis=1), half.argmax(axis=1), -1),
        run_out_chance=chance.astype(np.float32),
        verdict=verdict.astype(np.int64),
    )


def _find_run_out(needs: Needs, until: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether demand has gone unmet by then, without the order: [N, S, H]."""
    lost: NDArray[np.bool_] = np.maximum.accumulate((needs.course.unmet > 0) & until, axis=2)
    return lost
