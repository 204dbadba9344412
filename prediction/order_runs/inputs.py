"""Stock and terms of each series of a forecast run, as the arithmetic of orders takes them."""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from prediction.orders.deliveries import Supplier, plan_arrivals
from prediction.orders.stock import NEVER, Stock
from prediction.orders.terms import Terms
from registry.datasets.levels import read_levels
from registry.datasets.models import DatasetVersion
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.stock.models import Terms as TermsRow
from registry.datasets.stock.resolving import ProductTerms, resolve_terms

LEAD_DAYS, REVIEW_DAYS = 3, 7  # of a product without terms
Batches = list[tuple[float, int, int]]  # units, first and last day ahead on which they can be sold
Keys = Sequence[tuple[str, str]]


def read_batches(snapshot: StockSnapshot) -> tuple[dict[tuple[str, str], Batches], set[tuple[str, str]]]:
    """{series: its batches}, and the series whose stock is below 0, which counts as 0.

    Day 0 ahead is the day after the count; a delivery that is overdue is taken to come on it.
    """
    found: dict[tuple[str, str], Batches] = defaultdict(list)
    below = set()
    for row in pq.read_table(io.BytesIO(snapshot.read())).to_pylist():
        key = (row["store_id"], row["product_id"])
        last = NEVER if row["expiry"] is None else count_days(snapshot.as_of, row["expiry"])
        if row["on_hand"] < 0:
            below.add(key)
        found[key].append((max(row["on_hand"], 0.0), 0, last))
        if row["on_order"]:
            found[key].append((row["on_order"], max(0, count_days(snapshot.as_of, row["due_date"])), last))
    return found, below


def count_days(counted: date, day: date) -> int:
    """The column of a day ahead: 0 is the day after the count.

    >>> count_days(date(2026, 11, 23), date(2026, 11, 24))
    0
    """
    return (day - counted).days - 1


def build_stock(keys: Keys, batches: Mapping[tuple[str, str], Batches]) -> Stock:
    """The stock of the series in order; one that is not in the stock has none."""
    most = max((len(batches.get(key, ())) for key in keys), default=0) or 1
    units = np.zeros((len(keys), most), np.float32)
    first, last = np.zeros((len(keys), most), np.int64), np.full((len(keys), most), NEVER, np.int64)
    for row, key in enumerate(keys):
        for place, (amount, begin, end) in enumerate(batches.get(key, ())):
            units[row, place], first[row, place], last[row, place] = amount, begin, end
    return Stock(units, first, last)


def load_terms(data: DatasetVersion, products: Sequence[str]) -> dict[str, ProductTerms]:
    """The terms of each product as they are now."""
    groups: dict[str, set[str]] = defaultdict(set)
    for level in read_levels(data):
        if level.side == "products":
            for product, value in level.values.items():
                groups[product].add(value)
    rows = TermsRow.objects.filter(dataset=data.dataset_id)
    return resolve_terms(rows, dict.fromkeys(products), groups)


def build_terms(keys: Keys, found: dict[str, ProductTerms], counted: date) -> Terms:
    """The terms of the lines [S]: an order is placed on the evening of the count or the next order day.

    Raises ValueError for a supplier that never takes orders.
    """
    rows = [found[product] for _store, product in keys]
    arrivals = np.array([find_arrivals(row, counted) for row in rows]).reshape(-1, 2)

    def collect(name: str, default: float) -> np.ndarray[Any, Any]:
        values = [getattr(row, name) for row in rows]
        return np.array([default if value is None else value for value in values])

    cost, price = collect("unit_cost", 0.0), collect("price", 0.0)
    return Terms.build(
        len(rows),
        arrivals[:, 0],
        arrivals[:, 1],
        pack=collect("pack", 1.0),
        min_order=collect("min_order", 0.0),
        shelf_min=collect("shelf_min", 0.0),
        shelf_max=collect("shelf_max", np.inf),
        shelf_life=collect("shelf_life", NEVER),
        holding=collect("holding_cost", 0.01),
        shortage=np.where(price > cost, price - cost, 1.0),
        waste=np.where(np.isnan(waste := collect("waste_cost", np.nan)), cost, waste),
        unit_cost=cost,
    )


@cache
def find_arrivals(terms: ProductTerms, counted: date) -> tuple[int, int]:
    """Days ahead on which this order and the next one can first be sold."""
    supplier = Supplier(
        lead_days=LEAD_DAYS if terms.lead_days is None else terms.lead_days,
        review_days=terms.review_days or REVIEW_DAYS,
        weekdays=[int(day) - 1 for day in terms.weekdays.split(",") if day],
        shut=[np.datetime64(day) for day in terms.shut_days.split()],
    )
    return plan_arrivals(supplier, np.datetime64(counted))
