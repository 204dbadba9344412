"""What a column is about, by its name, and which way it pushes sales. No file keeps what is said here."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

HOLIDAY, PROMOTION, PRICE, OTHER = "holiday", "promotion", "price", "other"
OPEN = "open"
RIVALS = re.compile(r"compet|rival|竞|对手", re.IGNORECASE)  # plans do not change their prices
NAMES = {  # parts of a column's name
    PRICE: re.compile(r"price|preis|prix|价", re.IGNORECASE),
    PROMOTION: re.compile(r"promo|campaign|discount|leaflet|flyer|促销|折扣|优惠", re.IGNORECASE),
    HOLIDAY: re.compile(r"holiday|event|school|vacation|closed|节|假", re.IGNORECASE),
}
DOWN, FREE = -1, 0
MOST_GAPS = 0.01  # share of recorded days without a price up to which all prices count as known
Values = NDArray[Any]


def find_group(column: str) -> str:
    """The group of a column known ahead.

    >>> [find_group(name) for name in ("promo", "price", "school_holiday", "open", "competitor_price")]
    ['promotion', 'price', 'holiday', 'holiday', 'other']
    """
    if column == OPEN:
        return HOLIDAY
    if RIVALS.search(column):
        return OTHER
    return next((group for group, name in NAMES.items() if name.search(column)), OTHER)


def list_directions(columns: Iterable[dict[str, Any]], known: dict[str, Values], sales: Values) -> list[int]:
    """Which way each feature of these known columns, as the Encoder describes them, pushes sales.

    A price pushes down. Of several prices each means something given the others, and where a price is known
    on some days only, that it is tells more than the price: these are free, as are promotions, which trees
    know well. known: name -> [S, D + days ahead]; sales [S, D], NaN = none.

    >>> sales, price = np.ones((1, 3)), np.array([[5, 4, 5.0]])
    >>> columns = [{"name": "promo", "kind": "flag"}, {"name": "price", "kind": "ratio"}]
    >>> list_directions(columns, {"price": price}, sales)
    [0, -1]
    >>> list_directions(columns, {"price": np.array([[np.nan, 4, 5]])}, sales)
    [0, 0]
    >>> list_directions([{"name": "weather", "kind": "text", "labels": ["rain", "sun"]}], {}, sales)
    [0, 0]
    """
    described = list(columns)
    prices = [column for column in described if find_group(column["name"]) == PRICE]
    found: list[int] = []
    for column in described:
        direction = FREE
        if column["kind"] == "ratio" and prices == [column]:
            direction = DOWN if count_gaps(known[column["name"]], sales) <= MOST_GAPS else FREE
        found += [direction] * (len(column["labels"]) if column["kind"] == "text" else 1)
    return found


def count_gaps(values: Values, sales: Values) -> float:
    """The share of recorded days [S, D] on which a column is not known."""
    recorded = ~np.isnan(sales)
    return float(np.isnan(values[:, : sales.shape[1]])[recorded].mean()) if recorded.any() else 0.0
