"""Rules compared on the same weeks of an invented past."""

from __future__ import annotations

import numpy as np
import pytest

from prediction.orders.backtest import FORESIGHT, OURS, OWN, Groups, OwnRule, compare_rules
from prediction.orders.daily import DailyReplay
from prediction.orders.measures import Prices
from prediction.orders.replay import Plan
from prediction.orders.terms import Policy, Terms

SERIES, DAYS, FIRST, PATHS = 12, 120, 70, 100


@pytest.fixture(scope="module")
def replay() -> DailyReplay:
    """Poisson sales whose rate a forecast knows: paths are drawn from it."""
    chance = np.random.default_rng(3)
    rates = chance.uniform(1, 8, SERIES)
    sales = chance.poisson(rates[:, None], (SERIES, DAYS)).astype(np.float32)
    plan = Plan(FIRST, 44, arrival=2, review=7)

    def read_paths(origin: int, rows: np.ndarray) -> np.ndarray:
        seed = np.random.default_rng(origin)
        return seed.poisson(rates[None, rows, None], (PATHS, len(rows), 9)).astype(np.float32)

    return DailyReplay(sales, plan, Terms.build(SERIES, 2, 9), Prices(), read_paths, PATHS)


@pytest.fixture(scope="module")
def result(replay) -> dict:
    groups = Groups(["AX"] * 5 + ["CZ"] * 7, ["S1", "S2"] * 6)
    return compare_rules(replay, [Policy("cycle", 0.95)] * SERIES, OwnRule("cover", 20), groups)


def test_foresight_loses_nothing_and_a_long_cover_only_keeps_more(result):
    rules = result["rules"]
    assert rules[FORESIGHT]["fill_rate"] == pytest.approx(1, abs=0.002)
    assert rules[OURS]["fill_rate"] > 0.97 and rules[OWN]["stock_days"] > 2 * rules[OURS]["stock_days"]
    assert rules[FORESIGHT]["stock_days"] < rules[OURS]["stock_days"]


def test_the_curve_rises_with_stock_and_has_the_own_rule_as_a_point(result):
    ours = result["curve"][OURS]
    assert [point[0] for point in ours] == sorted(point[0] for point in ours)
    assert ours[0][1] < ours[-1][1]
    assert result["curve"][OWN] == [[result["rules"][OWN]["stock_days"], result["rules"][OWN]["fill_rate"]]]


def test_days_of_cover_are_matched_by_the_stock_that_ours_keeps(result):
    assert result["matched"]["stock_units"] == pytest.approx(result["rules"][OURS]["stock_units"], rel=0.05)


def test_classes_and_stores_add_up_to_all(result):
    for part in ("classes", "stores"):
        demands = [rules[OURS]["demand"] for rules in result[part].values()]
        assert sum(demands) == pytest.approx(result["rules"][OURS]["demand"]) and len(demands) == 2


def test_a_rule_orders_whole_packs(replay):
    packed = DailyReplay(
        replay.sales, replay.plan, Terms.build(SERIES, 2, 9, pack=6), Prices(), replay.read_paths, PATHS
    )
    for rule in (OwnRule("cover", 10), OwnRule("minmax", 5, 12), OwnRule("weeks")):
        ordered = packed.play_rule(rule.build(7)).ordered
        assert ordered.any() and not (ordered % 6).any()
