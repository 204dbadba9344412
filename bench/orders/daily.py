"""Twelve weeks of daily sales ordered anew: three days from order to shelf, one order a week."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.orders.forecasts import PATHS, Learned, draw_paths, read_panel
from prediction.orders.measures import Measures, Prices, foresee, measure_replay
from prediction.orders.proposal import propose_lines
from prediction.orders.replay import Plan, Replay, run_replay
from prediction.orders.rules import CoverDays, NormalSafety, average_sales
from prediction.orders.stock import Floats, Stock
from prediction.orders.terms import Policy, Terms

LEAD, REVIEW = 3, 7
ARRIVAL = LEAD - 1  # an order of the evening is sold from the third day after it on: column 2
WEEKS, LEARNED_EVERY = 12, 4
LEVELS = (0.90, 0.95, 0.98)
FIRST_COVER = 10  # days of average sales that stand in the shop at first


@dataclass(frozen=True)
class Comparison:
    """One service level beside days of cover with the same mean stock."""

    level: float
    ours: Measures
    cover_days: float
    cover: Measures


class DailyReplay:
    """The replay of one data set, `back` weeks before the end of its sales."""

    def __init__(self, name: str, back: int = 0):
        self.panel = read_panel(name)
        self.sales = self.panel.open_sales
        days = WEEKS * REVIEW + ARRIVAL
        self.plan = Plan(self.panel.days - days - back * REVIEW, days, ARRIVAL, REVIEW)
        listed = ~np.isnan(self.sales[:, : self.plan.first])
        self.rows = np.flatnonzero(listed[:, -28:].any(axis=1))  # on sale when it begins
        self.sales = self.sales[self.rows]
        self.paths: dict[int, Floats] = {}
        learned = Learned(name, budget=40.0, horizon=14, test_windows=3)
        columns = self.plan.order_columns
        for turn in range(0, len(columns), LEARNED_EVERY):
            origins = [column - 1 for column in columns[turn : turn + LEARNED_EVERY]]
            self.paths |= {
                origin: drawn[:, self.rows]
                for origin, drawn in draw_paths(learned, origins[0], origins, ARRIVAL + REVIEW).items()
            }

    def play(self, decide: Callable[[int, Stock], Floats]) -> Replay:
        """The replay of a rule from the same stock."""
        usual = average_sales(self.sales[:, : self.plan.first], 28)
        return run_replay(self.sales, Stock.on_hand(np.ceil(FIRST_COVER * usual)), self.plan, decide)

    def play_ours(self, policy: Policy) -> Replay:
        """Our policy, on the joint paths of the forecast of that day."""
        terms = Terms.build(len(self.sales), ARRIVAL, ARRIVAL + REVIEW)

        def decide(column: int, stock: Stock) -> Floats:
            drawn = self.paths[column - 1]
            return propose_lines(stock, terms, policy, lambda rows: drawn[:, rows], PATHS).quantity

        return self.play(decide)

    def play_rule(self, rule: Callable[[Floats, Floats], Floats]) -> Replay:
        """A rule of averages."""
        return self.play(lambda column, stock: rule(self.sales[:, :column], stock.available + stock.on_order))

    def play_normal(self, level: float) -> Replay:
        """z times sigma times the root of the days."""
        return self.play_rule(NormalSafety(ARRIVAL + REVIEW, level))

    def play_foresight(self) -> Replay:
        """Every order as if the sales were known."""
        ahead = (ARRIVAL, ARRIVAL + REVIEW)
        return self.play(lambda column, stock: foresee(self.sales, ahead, column, stock))

    def compare(self, level: float, nearest: bool = False) -> Comparison:
        """Our cycle service level beside days of cover that keep the same stock on average."""
        ours = measure_replay(self.play_ours(Policy("cycle", level, nearest)), Prices())
        low, high = 1.0, 120.0
        for _step in range(12):
            middle = (low + high) / 2
            stock = measure_replay(self.play_rule(CoverDays(middle)), Prices()).stock_units
            low, high = (middle, high) if stock < ours.stock_units else (low, middle)
        # the upper end keeps no less stock than ours, so that the comparison does not flatter us
        return Comparison(level, ours, high, measure_replay(self.play_rule(CoverDays(high)), Prices()))
