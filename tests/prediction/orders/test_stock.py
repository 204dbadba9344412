from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from prediction.orders.replay import Plan, run_replay
from prediction.orders.stock import NEVER, Stock, simulate_stock

units = st.integers(0, 20)


def test_what_expires_first_is_sold_first() -> None:
    stock = Stock(
        units=np.array([[5.0, 4.0, 6.0]], np.float32),
        first=np.array([[0, 0, 2]]),
        last=np.array([[NEVER, 1, NEVER]]),
    )
    course = simulate_stock(stock, np.array([[[3.0, 0.0, 9.0, 9.0]]], np.float32))
    assert course.wasted[0, 0].tolist() == [0, 1, 0, 0]  # three of the four were sold on the first day
    assert course.closing[0, 0].tolist() == [6, 5, 2, 0]
    assert course.unmet[0, 0].tolist() == [0, 0, 0, 7]
    assert course.left[0, 0].tolist() == [0, 0, 0]


def test_what_has_expired_before_is_wasted_on_the_first_day() -> None:
    stock = Stock(np.array([[5.0]], np.float32), np.array([[0]]), np.array([[-1]]))
    course = simulate_stock(stock, np.ones((1, 1, 2), np.float32))
    assert course.wasted[0, 0].tolist() == [5, 0]
    assert course.unmet[0, 0].tolist() == [1, 1]


def test_stock_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="not below 0"):
        Stock.on_hand(np.array([-1.0], np.float32))


@settings(max_examples=50, deadline=None)
@given(
    arrays.arrays(np.float32, (2, 3, 6), elements=units),
    arrays.arrays(np.float32, (3, 4), elements=units),
    arrays.arrays(np.int64, (3, 4), elements=st.integers(0, 5)),
    arrays.arrays(np.int64, (3, 4), elements=st.integers(0, 5)),
)
def test_units_are_conserved(demand, given_units, first, length) -> None:
    stock = Stock(given_units, first, first + length)
    course = simulate_stock(stock, demand)
    sold = demand - course.unmet
    assert (course.unmet >= 0).all() and (course.unmet <= demand).all()
    total = sold.sum(axis=2) + course.wasted.sum(axis=2) + course.left.sum(axis=2)
    assert np.allclose(total, given_units.sum(axis=1))


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.float32, (2, 30), elements=units),
    arrays.arrays(np.float32, (2, 4), elements=units),
    st.integers(1, 12),
)
def test_a_replay_conserves_units(sales, orders, shelf_life) -> None:
    plan = Plan(first=2, days=28, arrival=2, review=7, shelf_life=shelf_life)
    turn = iter(orders.T)
    start = np.array([10.0, 0.0], np.float32)
    replay = run_replay(sales, Stock.on_hand(start), plan, lambda _column, _stock: next(turn))
    sold = replay.demand - replay.lost
    end = start + replay.ordered.sum(axis=1) - sold.sum(axis=1) - replay.wasted.sum(axis=1)
    assert np.allclose(end, replay.closing[:, -1])
    assert np.allclose(replay.opening - sold - replay.wasted, replay.closing)


def test_an_unknown_day_is_neither_sold_nor_counted() -> None:
    sales = np.full((1, 10), 2.0, np.float32)
    sales[0, 5] = np.nan
    plan = Plan(first=0, days=10, arrival=0, review=10)
    replay = run_replay(sales, Stock.on_hand(np.zeros(1)), plan, lambda _c, _s: np.array([20.0]))
    assert replay.closing[0, -1] == 2
    assert replay.counted.sum() == 9
