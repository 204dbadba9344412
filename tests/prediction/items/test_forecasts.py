"""The row of each product and store: that the units add up, and what is compared with what."""

from __future__ import annotations

import numpy as np
import pytest

from prediction.current_forecast import load_current
from prediction.items.forecasts import ItemForecast, flag_missed
from prediction.tasks import make_current_forecast
from registry.datasets.reader import read_frame


@pytest.fixture
def state(version, sales):
    make_current_forecast(sales.dataset_id)
    return load_current(sales.dataset)


def test_every_product_and_every_store_has_a_row_and_they_add_up(state, sales):
    products, stores = state.items["products"], state.items["stores"]
    assert {item.code for item in products} == set(sales.products)
    assert {item.code for item in stores} == set(sales.stores)
    for items in (products, stores):
        assert sum(item.expected for item in items) == pytest.approx(state.forecast.total, abs=0.01)
        assert all(item.low <= item.expected <= item.high for item in items)


def test_weeks_and_days_before_are_what_was_sold(state, sales):
    frame = read_frame(sales)
    ago = (np.datetime64(sales.last) - frame["date"].to_numpy().astype("datetime64[D]")).astype(int)
    for item in state.items["products"]:
        mine = (frame["product_id"] == item.code).to_numpy()
        sold = [frame["sales"][mine & (ago // 7 == week)].sum() for week in range(11, -1, -1)]
        assert item.weeks == pytest.approx(sold)
        assert item.before == pytest.approx(frame["sales"][mine & (ago < 28)].sum())
        assert len(item.ahead) == 4 and sum(item.ahead) == pytest.approx(item.expected, abs=0.1)


def test_the_error_is_that_of_the_model_page(state, version):
    listed = {row["code"]: row["wape"] for row in version.metrics["by_product"]}
    assert {item.code: item.error for item in state.items["products"]} == listed


def test_an_item_that_the_tests_do_not_list_gets_the_error_of_the_last_test(version, sales):
    metrics = {**version.metrics, "by_product": []}
    type(version).objects.filter(pk=version.pk).update(metrics=metrics)
    make_current_forecast(sales.dataset_id)
    errors = [item.error for item in load_current(sales.dataset).items["products"]]
    assert all(error is not None and 0 < error < 2 for error in errors)


def row(expected: float, weeks: list[float], ahead: list[float], **more) -> ItemForecast:
    sizes = {"expected": expected, "low": 0.8 * expected, "high": 1.2 * expected}
    return ItemForecast(code="A", weeks=weeks, ahead=ahead, **{**sizes, **more})


def test_sales_far_from_an_earlier_forecast_are_flagged():
    earlier = [row(400, [100.0] * 12, [100.0] * 4)]
    missed = flag_missed([row(400, [100.0] * 10 + [200.0] * 2, [100.0] * 4)], earlier, 2)
    assert missed[0].flags == {"missed": 1.0}
    near = flag_missed([row(400, [100.0] * 10 + [120.0] * 2, [100.0] * 4)], earlier, 2)
    assert near[0].flags == {}


def test_what_was_not_forecast_before_is_not_flagged():
    new = row(400, [100.0] * 12, [100.0] * 4)
    assert flag_missed([new], [], 2) == [new] and flag_missed([new], [new], 0) == [new]
