"""Weeks of daily sales ordered anew: our policy on the forecasts of those days, and the rules of today."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from prediction.orders.measures import Measures, Prices, foresee, measure_replay
from prediction.orders.proposal import propose_lines
from prediction.orders.replay import Decide, Plan, Replay, run_replay
from prediction.orders.rules import MONTH, CoverDays, NormalSafety, average_sales
from prediction.orders.stock import Floats, Stock
from prediction.orders.terms import Policy, Terms

FIRST_COVER = 10  # days of average sales that stand in the shop at first
HALVINGS = 12  # of the search for as much stock
Rule = Callable[[Floats, Floats], Floats]  # past sales, units on hand and on order -> units
ReadPaths = Callable[[int, NDArray[np.intp]], Floats]  # origin, rows -> demand after it [N, R, H]


@dataclass(frozen=True)
class DailyReplay:
    """The replay of some series: sales [S, D], NaN = unknown; terms and prices of each.

    read_paths gives the sample paths after a column, at least up to the arrival after next; `paths` of them.
    """

    sales: Floats
    plan: Plan
    terms: Terms
    prices: Prices
    read_paths: ReadPaths
    paths: int

    def play(self, decide: Decide) -> Replay:
        """The replay of a rule from the same stock."""
        usual = average_sales(self.sales[:, : self.plan.first], MONTH)
        return run_replay(self.sales, Stock.on_hand(np.ceil(FIRST_COVER * usual)), self.plan, decide)

    def play_ours(self, policies: Policy | Sequence[Policy]) -> Replay:
        """Our policy, one or one for each series, on the joint paths of the forecast of that day."""
        chosen = [policies] * len(self.sales) if isinstance(policies, Policy) else list(policies)
        groups: dict[Policy, list[int]] = {}
        for row, policy in enumerate(chosen):
            groups.setdefault(policy, []).append(row)

        def decide(column: int, stock: Stock) -> Floats:
            units = np.zeros(len(self.sales), np.float32)
            for policy, members in groups.items():
                rows = np.array(members, np.intp)
                read = partial(self._read, column - 1, rows)
                lines = propose_lines(stock.select(rows), self.terms.select(rows), policy, read, self.paths)
                units[rows] = lines.quantity
            return units

        return self.play(decide)

    def play_rule(self, rule: Rule) -> Replay:
        """A rule of averages, in whole packs."""

        def decide(column: int, stock: Stock) -> Floats:
            units = rule(self.sales[:, :column], stock.available + stock.on_order)
            packs: Floats = np.ceil(units / self.terms.pack - 1e-4) * self.terms.pack
            return packs

        return self.play(decide)

    def play_normal(self, level: float) -> Replay:
        """z times sigma times the root of the days."""
        return self.play_rule(NormalSafety(self.plan.arrival + self.plan.review, level))

    def play_foresight(self) -> Replay:
        """Every order as if the sales were known."""
        ahead = (self.plan.arrival, self.plan.arrival + self.plan.review)
        return self.play(lambda column, stock: foresee(self.sales, ahead, column, stock))

    def measure(self, replay: Replay, rows: NDArray[np.intp] | None = None) -> Measures:
        """The figures of a replay, of some rows or all."""
        return measure_replay(replay, self.prices, rows)

    def match_cover(self, stock_units: float) -> tuple[float, Measures]:
        """Days of cover that keep as much stock on average, and what they lead to."""
        low, high = 1.0, 120.0
        for _step in range(HALVINGS):
            middle = (low + high) / 2
            stock = self.measure(self.play_rule(CoverDays(middle))).stock_units
            low, high = (middle, high) if stock < stock_units else (low, middle)
        # the upper end keeps no less stock than ours, so that the comparison does not flatter us
        return high, self.measure(self.play_rule(CoverDays(high)))

    def _read(self, origin: int, rows: NDArray[np.intp], chosen: NDArray[np.intp]) -> Floats:
        return self.read_paths(origin, rows[chosen])
