"""What the address of the product list means."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from prediction.items.forecasts import ItemForecast
from prediction.items.listing import ItemQuery, list_filters


def item(code: str, expected: float, **more) -> ItemForecast:
    return ItemForecast(code=code, expected=expected, low=expected / 2, high=expected * 2, **more)


ITEMS = [
    item(
        "P1",
        10,
        name="Aspirin 500",
        levels={"category": "Pain", "brand": ""},
        last_year=20.0,
        flags={"level": -0.5},
    ),
    item("P2", 30, name="Ibuprofen", levels={"category": "Pain", "brand": "B:1 & co"}, error=0.2),
    item(
        "P3",
        20,
        name="Sun cream",
        levels={"category": "Skin", "brand": "B2"},
        last_year=10.0,
        flags={"few": 1.0},
    ),
]


def codes(address: str) -> list[str]:
    return [one.code for one in ItemQuery.from_address(QueryDict(address)).select(ITEMS)]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("", ["P2", "P3", "P1"]),
        ("sort=expected", ["P1", "P3", "P2"]),
        ("sort=item", ["P1", "P2", "P3"]),
        ("sort=-last_year", ["P3", "P1", "P2"]),
        ("sort=last_year", ["P1", "P3", "P2"]),
        ("sort=-error", ["P2", "P1", "P3"]),
        ("q=pain 500", ["P1"]),
        ("q=p3", ["P3"]),
        ("level=category:Pain", ["P2", "P1"]),
        ("level=category:Pain&level=brand:", ["P1"]),
        ("level=brand:B%3A1 %26 co", ["P2"]),
        ("level=gone:x", []),
        ("in:brand=b", ["P2", "P3"]),
        ("flag=any", ["P3", "P1"]),
        ("flag=few", ["P3"]),
        ("q=nothing", []),
        ("sort=nonsense&flag=nonsense&show=nonsense", ["P2", "P3", "P1"]),
    ],
)
def test_the_address_filters_and_sorts(address, found):
    assert codes(address) == found


def test_a_second_click_on_a_column_turns_the_order_round():
    query = ItemQuery.from_address(QueryDict("sort=-last_year"))
    assert query.direction("last_year") == "descending" and query.next_sort("last_year") == "last_year"
    assert query.next_sort("item") == "item" and query.next_sort("expected") == "-expected"


def test_each_level_is_a_filter_with_its_values():
    filters = list_filters(ITEMS, ItemQuery.from_address(QueryDict("level=category:Skin")))
    assert [(one.column, one.chosen, one.choices) for one in filters] == [
        ("category", "category:Skin", [("category:Pain", "Pain"), ("category:Skin", "Skin")]),
        ("brand", "", [("brand:", ""), ("brand:B2", "B2"), ("brand:B:1 & co", "B:1 & co")]),
    ]


def test_a_level_with_thousands_of_values_is_searched_not_chosen_from():
    many = [item(f"P{n}", 1, levels={"maker": f"Maker {n}"}) for n in range(5000)]
    (found,) = list_filters(many, ItemQuery.from_address(QueryDict("in:maker=4999")))
    assert (found.choices, found.name, found.chosen) == ([], "in:maker", "4999")
    assert [one.code for one in ItemQuery.from_address(QueryDict("in:maker=maker 4999")).select(many)] == [
        "P4999"
    ]
