from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prediction.orders.classes import classify_regularity
from prediction.orders.contribution import INPUTS, split_change
from prediction.orders.deliveries import Supplier, plan_arrivals
from prediction.orders.needs import assess_needs
from prediction.orders.proposal import Lines, propose_lines
from prediction.orders.stock import NEVER, Stock
from prediction.orders.terms import Policy, Terms


def propose(demand: np.ndarray, stock: Stock, terms: Terms, policy: Policy) -> Lines:
    return propose_lines(stock, terms, policy, lambda rows: demand[:, rows], len(demand))


def steady(amounts: list[float], days: int) -> np.ndarray:
    """Paths of one series that sell the same every day: [N, 1, days]."""
    return np.repeat(np.array(amounts, np.float32)[:, None, None], days, axis=2)


def test_a_line_is_as_worked_out_by_hand() -> None:
    """Nine paths sell 1 to 9 a day. 12 are on hand, 10 come on day 1; an order is sold on days 2 to 4.

    With 90% of cycles to be served, the highest of nine paths counts: 9 a day. After two days 12 + 10 - 18
    = 4 are left; three days more want 27, so 23 are missing: 18 or 24 in packs of 6. At 90% a lost unit
    weighs as much as 9 that lie about: 18 lose 5 units on one path of nine, 9 * 5 / 9 = 5. 24 keep 6 units
    longer on eight paths and (6 + 6 + 1) / 3 on the ninth, (8 * 6 + 4.33) / 9 = 5.8. So 18 it is.
    """
    stock = Stock(np.array([[12.0, 10.0]], np.float32), np.array([[0, 1]]), np.full((1, 2), NEVER))
    terms = Terms.build(1, arrival=2, next_arrival=5, pack=6)
    lines = propose(steady([1, 2, 3, 4, 5, 6, 7, 8, 9], 5), stock, terms, Policy("cycle", 0.9))
    line = lines.describe(0)
    assert line["needed"] == 23
    assert line["quantity"] == 18
    assert line["rounding"] == -5
    assert line["limits"] == 0
    assert (line["on_hand"], line["on_order"], line["expiring"]) == (12, 10, 0)
    assert line["expected"] == 25  # five days of five
    assert line["lost_before"] == 0  # 12 on hand serve the first day of all, 22 both days
    assert line["safety"] == 12 + 10 + 18 - 25
    assert line["quantile"] == pytest.approx(8 / 9)
    assert line["cover_days"] == pytest.approx(40 / 5)
    assert line["run_out_day"] == 4  # five paths of nine sell more than 22 in five days
    assert line["run_out_chance"] == pytest.approx(5 / 9)
    assert line["verdict"] == "order"


def test_the_newsvendor_quantity_is_that_of_the_textbook() -> None:
    """The figure is that of stockpyl 1.0.2: newsvendor_normal(0.18, 0.70, 50, 8) gives 56.604."""
    demand = np.random.default_rng(0).normal(50, 8, (40_000, 1, 1)).astype(np.float32)
    terms = Terms.build(1, 0, 1, pack=0.05, holding=0.18, shortage=0.70)
    lines = propose(demand, Stock.on_hand(np.zeros(1)), terms, Policy("cost"))
    assert lines.quantity[0] == pytest.approx(56.604, abs=0.2)


def test_the_newsvendor_quantity_of_counts_is_that_of_the_textbook() -> None:
    """As newsvendor_poisson(1, 4, 6) of stockpyl 1.0.2 gives: 8 units."""
    demand = np.random.default_rng(0).poisson(6, (20_000, 1, 1)).astype(np.float32)
    terms = Terms.build(1, 0, 1, holding=1, shortage=4)
    assert propose(demand, Stock.on_hand(np.zeros(1)), terms, Policy("cost")).quantity[0] == 8


def test_the_quantity_is_the_cheapest_of_all() -> None:
    rng = np.random.default_rng(1)
    demand = rng.poisson(2, (99, 4, 12)).astype(np.float32)
    stock = Stock(
        units=np.array([[0, 4], [3, 0], [8, 4], [15, 0]], np.float32),
        first=np.array([[0, 3]] * 4),
        last=np.array([[5, 7]] * 4),  # as the order, which expires on day 7, or before it
    )
    terms = Terms.build(4, 2, 7, pack=3, holding=0.05, shortage=0.6, waste=0.8, shelf_life=6)
    needs = assess_needs(stock, terms, demand)
    lines = propose(demand, stock, terms, Policy("cost"))
    for row in range(4):
        costs = []
        for packs in range(20):  # by brute force: the order is one more batch of the simulated stock
            units = np.zeros(4, np.float32)
            units[row] = 3 * packs
            with_order = stock.add_batch(units, terms.arrival, terms.arrival + terms.shelf_life - 1)
            again = assess_needs(with_order, terms, demand)
            lost = again.course.unmet[:, row, 2:7].sum(axis=1).mean()
            held = (again.course.closing - needs.course.closing)[:, row, 2:7].sum(axis=1).mean()
            wasted = again.course.wasted[:, row].sum(axis=1).mean()
            costs.append(0.6 * lost + 0.05 * held + 0.8 * wasted)
        assert lines.quantity[row] == 3 * int(np.argmin(costs))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31),
    st.sampled_from(
        [Policy("cycle", 0.9), Policy("cycle", 0.9, nearest=True), Policy("fill"), Policy("cost")]
    ),
    st.sampled_from([1.0, 6.0, 0.25]),
    st.sampled_from([3, NEVER]),
)
def test_an_order_is_whole_packs_and_falls_with_stock(seed, policy, pack, life) -> None:
    demand = np.random.default_rng(seed).poisson(1.5, (60, 1, 10)).astype(np.float32)
    series = np.repeat(demand, 8, axis=1)
    terms = Terms.build(8, 3, 10, pack=pack, shelf_life=life, min_order=2, shelf_max=25)
    lines = propose(series, Stock.on_hand(np.arange(8.0) * 3), terms, policy)
    assert (lines.quantity >= 0).all()
    assert np.allclose(lines.quantity / pack, np.round(lines.quantity / pack))
    assert (np.diff(lines.quantity) <= 1e-4).all()
    assert ((lines.quantity == 0) | (lines.quantity >= 2)).all()
    assert np.allclose(lines.needed + lines.limits + lines.rounding, lines.quantity, atol=1e-3)
    position = lines.on_hand + lines.on_order - lines.expiring + lines.quantity
    assert np.allclose(position, lines.expected - lines.lost_before + lines.safety, atol=1e-3)


def test_a_fill_rate_is_held_in_expectation() -> None:
    demand = np.random.default_rng(3).poisson(3, (200, 1, 9)).astype(np.float32)
    stock, terms = Stock.on_hand(np.array([6.0])), Terms.build(1, 2, 9)
    lines = propose(demand, stock, terms, Policy("fill", 0.98))
    needs = assess_needs(stock, terms, demand)
    lost = [np.maximum(needs.lacking - more, 0).mean() for more in (lines.needed[0], lines.needed[0] - 0.1)]
    allowed = 0.02 * needs.demand.mean()
    assert lost[0] <= allowed + 1e-4 < lost[1]


def test_no_more_is_ordered_than_sells_before_it_expires() -> None:
    terms = Terms.build(1, 0, 7, shelf_life=2)
    lines = propose(steady([5] * 20, 7), Stock.on_hand(np.zeros(1)), terms, Policy("cycle", 0.95))
    assert lines.quantity[0] == 10


def test_a_shelf_minimum_stands_when_the_next_order_comes() -> None:
    terms = Terms.build(1, 0, 7, shelf_min=4)
    lines = propose(steady([5] * 20, 7), Stock.on_hand(np.array([10.0])), terms, Policy("cycle", 0.95))
    assert lines.quantity[0] == 25 + 4


def test_paths_that_end_before_the_next_order_are_refused() -> None:
    with pytest.raises(ValueError, match="paths reach 5 days"):
        propose(steady([1], 5), Stock.on_hand(np.zeros(1)), Terms.build(1, 0, 7), Policy())


def test_a_supplier_shut_on_a_holiday_delivers_later() -> None:
    counted = np.datetime64("2026-12-21")  # a Monday
    supplier = Supplier(lead_days=2, weekdays=[0, 2])
    assert plan_arrivals(supplier, counted) == (1, 3)
    shut = [np.datetime64(day) for day in ("2026-12-23", "2026-12-25", "2026-12-26")]
    # sold from Thursday; Wednesday's order falls to Monday, and is sold from Wednesday the 30th
    assert plan_arrivals(Supplier(lead_days=2, weekdays=[0, 2], shut=shut), counted) == (2, 8)


def test_a_supplier_that_never_takes_orders_is_refused() -> None:
    days = [np.datetime64("2026-12-21") + day for day in range(500)]
    with pytest.raises(ValueError, match="takes no order"):
        plan_arrivals(Supplier(lead_days=1, shut=days), np.datetime64("2026-12-21"))


def test_the_parts_of_a_change_add_up() -> None:
    rng = np.random.default_rng(5)
    weights = {name: rng.normal(size=3) for name in INPUTS}

    def compute(new: frozenset[str]) -> np.ndarray:
        return np.maximum(sum((weights[name] for name in sorted(new)), np.zeros(3)), -0.5)

    parts = split_change(compute)
    change = compute(frozenset(INPUTS)) - compute(frozenset())
    assert np.allclose(sum(parts.values()), change)


def test_irregular_sales_are_class_z() -> None:
    sales = np.zeros((2, 70), np.float32)
    sales[0] = 3
    sales[1, 13] = 20
    assert classify_regularity(sales).tolist() == ["X", "Z"]
