"""The VN2 game on the last year of its sales: 8 weeks, one order a week, two weeks from order to shelf.

A unit left at the end of a week costs 0.2, a lost one 1.0. All play from the stock that the benchmark rule
of the competition left behind after ten weeks. Weeks out of stock are not demand: nothing is counted in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.orders.forecasts import PATHS, Learned, draw_paths, read_weekly
from prediction.orders.proposal import propose_lines
from prediction.orders.replay import Plan, run_replay
from prediction.orders.rules import NormalSafety, average_sales
from prediction.orders.stock import Floats, Stock
from prediction.orders.terms import Policy, Terms

HOLDING, SHORTAGE = 0.2, 1.0
WEEKS, ARRIVAL, ORDERS = 8, 2, 6
WARM_UP = 10  # weeks
AVERAGED, COVERED, YEAR = 13, 4, 52
STARTS = tuple(range(78, 123, 4))  # last known weeks of twelve games; the sales end with week 130
TUNING_STARTS = (66, 70, 74)


@dataclass(frozen=True)
class Game:
    """Money of one rule in the game after a start, and of it what no order of the game could change."""

    rule: str
    start: int
    cost: float
    fixed: float


def order_seasonal_average(sales: Floats, column: int, stock: Stock) -> Floats:
    """The benchmark of the competition: up to four weeks of a 13 week average, with factors of the season.

    The factors are those of the whole chain, by week of the year, from the sales before the column.
    """
    known = ~np.isnan(sales[:, :column])
    total = np.nansum(sales[:, :column], axis=0) / np.maximum(known.sum(axis=0), 1)
    week = np.arange(column + COVERED) % YEAR
    factors = np.ones(YEAR)
    for number in range(YEAR):
        same = total[week[:column] == number]
        factors[number] = same.mean() / total.mean() if len(same) else 1.0
    level = sales[:, :column] / np.maximum(factors[week[:column]], 0.1)
    target = average_sales(level, AVERAGED) * factors[week[column:]].sum()
    return np.maximum(np.round(target - stock.available - stock.on_order), 0)


def play_games(starts: tuple[int, ...], learned: Learned) -> list[Game]:
    """Every rule in every game."""
    sales, games = read_weekly().sales, []
    for start in starts:
        first = start + 1
        stock = _warm_up(sales, first)
        paths = draw_paths(learned, start, list(range(start, start + ORDERS)), ARRIVAL + 1)
        for name, decide in _list_rules(sales, paths).items():
            replay = run_replay(sales, stock, Plan(first, WEEKS, ARRIVAL, 1), decide)
            known = ~np.isnan(replay.demand)
            costs = np.where(known, SHORTAGE * replay.lost + HOLDING * replay.closing, 0).sum(axis=0)
            games.append(Game(name, start, float(costs.sum()), float(costs[:ARRIVAL].sum())))
    return games


def _warm_up(sales: Floats, first: int) -> Stock:
    plan = Plan(first - WARM_UP, WARM_UP, ARRIVAL, 1, goes_on=True)
    begin = Stock.on_hand(np.round(COVERED * average_sales(sales[:, : plan.first], AVERAGED)))
    return run_replay(
        sales, begin, plan, lambda column, stock: order_seasonal_average(sales, column, stock)
    ).left


def _list_rules(sales: Floats, paths: dict[int, Floats]) -> dict[str, Callable[[int, Stock], Floats]]:
    terms = Terms.build(len(sales), ARRIVAL, ARRIVAL + 1, holding=HOLDING, shortage=SHORTAGE)
    normal = NormalSafety(ARRIVAL + 1, SHORTAGE / (SHORTAGE + HOLDING), AVERAGED)

    def order_ours(column: int, stock: Stock) -> Floats:
        drawn = paths[column - 1]
        return propose_lines(stock, terms, Policy("cost"), lambda rows: drawn[:, rows], PATHS).quantity

    def order_normal(column: int, stock: Stock) -> Floats:
        return normal(sales[:, :column], stock.available + stock.on_order)

    def foresee(column: int, stock: Stock) -> Floats:
        ahead = np.nan_to_num(sales[None, :, column : column + ARRIVAL + 1])
        return propose_lines(stock, terms, Policy("cost"), lambda rows: ahead[:, rows], 1).quantity

    return {
        "ours": order_ours,
        "seasonal average": lambda column, stock: order_seasonal_average(sales, column, stock),
        "z sigma": order_normal,
        "perfect foresight": foresee,
    }
