"""An order of the small chain, made in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from prediction.order_runs.maker import prepare_order, save_order
from prediction.order_runs.models import OrderRun
from prediction.runs.models import ForecastRun
from prediction.tasks import make_order_run
from registry.datasets.models import DatasetVersion
from registry.datasets.stock.models import StockSnapshot, Terms
from tests.helpers import small_files


@pytest.fixture
def count_stock(sales: DatasetVersion) -> Callable[..., StockSnapshot]:
    """Stock with the same units of every product in every store."""
    return partial(small_files.stock, sales)


@pytest.fixture
def forecast_run(version, make_run) -> ForecastRun:
    return make_run(version)


@pytest.fixture
def make_order(sales: DatasetVersion) -> Callable[..., OrderRun]:
    """Makes an order as the queue does."""

    def maker(**facts) -> OrderRun:
        made = save_order(prepare_order(sales.dataset, **facts))
        make_order_run(str(made.pk))
        made.refresh_from_db()
        return made

    return maker


@pytest.fixture
def order(forecast_run, count_stock, make_order, sales) -> OrderRun:
    """An order of six lines from two suppliers; P001 comes in packs of 6."""
    count_stock()
    Terms.objects.create(dataset=sales.dataset, level="all", lead_days=2, supplier="Alfa")
    money = {"unit_cost": 2.5, "price": 4}
    Terms.objects.create(dataset=sales.dataset, key="P001", supplier="Beta", pack=6, **money)
    return make_order()
