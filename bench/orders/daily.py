"""Twelve weeks of daily sales ordered anew: three days from order to shelf, one order a week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.orders.forecasts import PATHS, Learned, draw_paths, read_panel
from prediction.orders.daily import DailyReplay
from prediction.orders.measures import Measures, Prices
from prediction.orders.replay import Plan
from prediction.orders.stock import Floats
from prediction.orders.terms import Policy, Terms

LEAD, REVIEW = 3, 7
ARRIVAL = LEAD - 1  # an order of the evening is sold from the third day after it on: column 2
WEEKS, LEARNED_EVERY = 12, 4
LEVELS = (0.90, 0.95, 0.98)


@dataclass(frozen=True)
class Comparison:
    """One service level beside days of cover with the same mean stock."""

    level: float
    ours: Measures
    cover_days: float
    cover: Measures


def build_replay(name: str, back: int = 0) -> DailyReplay:
    """The replay of one data set, `back` weeks before the end of its sales."""
    panel = read_panel(name)
    days = WEEKS * REVIEW + ARRIVAL
    plan = Plan(panel.days - days - back * REVIEW, days, ARRIVAL, REVIEW)
    listed = ~np.isnan(panel.open_sales[:, : plan.first])
    rows = np.flatnonzero(listed[:, -28:].any(axis=1))  # on sale when it begins
    paths: dict[int, Floats] = {}
    learned = Learned(name, budget=40.0, horizon=14, test_windows=3)
    columns = plan.order_columns
    for turn in range(0, len(columns), LEARNED_EVERY):
        origins = [column - 1 for column in columns[turn : turn + LEARNED_EVERY]]
        drawn = draw_paths(learned, origins[0], origins, ARRIVAL + REVIEW)
        paths |= {origin: part[:, rows] for origin, part in drawn.items()}
    terms = Terms.build(len(rows), ARRIVAL, ARRIVAL + REVIEW)
    sales = panel.open_sales[rows]
    return DailyReplay(sales, plan, terms, Prices(), lambda origin, chosen: paths[origin][:, chosen], PATHS)


def compare(replay: DailyReplay, level: float, nearest: bool = False) -> Comparison:
    """Our cycle service level beside days of cover that keep the same stock on average."""
    ours = replay.measure(replay.play_ours(Policy("cycle", level, nearest)))
    return Comparison(level, ours, *replay.match_cover(ours.stock_units))
