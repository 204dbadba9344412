"""Blank cells: joined ones, and codes that are missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    HEADER,
    SPAN,
    TWO,
    Cells,
    OddFile,
    book,
    dates,
    iso,
    row,
    rows,
    table,
    totals,
    units,
)
from tests.registry.datasets.importing.odd_files.swaps import OFFSET_MAP

SQUARE = ("Date", "Time", "Category", "Item", "Qty", "Price Point Name", "SKU", "Gross Sales", "Location")
MENU = (("Latte", "LAT01", 3), ("Oat cookie", "", 1), ("Filter coffee", "", 2))


def square() -> list[Cells]:
    lines = [
        (
            d,
            f"{9 + k:02}:10:00",
            "Bar",
            item,
            units(k, j),
            "Regular",
            sku,
            f"${price * units(k, j)}.00",
            "High St",
        )
        for j, d in enumerate(iso())
        for k, (item, sku, price) in enumerate(MENU)
    ]
    return [SQUARE, *lines]


MENU_TOTALS = totals(("LAT01", "Oat cookie", "Filter coffee"))


def menu(header: Cells, line: Callable[[date, str, str, int, int], Cells]) -> list[Cells]:
    return [header, *(
        line(d, item, sku, units(k, j), k) for j, d in enumerate(dates()) for k,
        (item, sku, _) in enumerate(MENU)
    )]  # fmt: skip


def blank_code(name: str, origin: str, make: Callable[[], bytes], odd: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "suffix": ".csv"}
    return row(
        more,
        name=name, kind="fill-down", like=1, origin=origin, make=make, right="read", odd=odd,
        why="the name changes while the code is blank, so it is no joined cell: take the name there, or ask",
        also=("ask", "refuse"), about="product", totals=MENU_TOTALS, aliases={"LAT01": "Latte"}, days=10,
        span=SPAN,
        answers={"SKU": MENU_TOTALS}, says=("row 3|rows 3|line 3", "SKU|code|product"), **fields,
    )  # fmt: skip


def filled(name: str, origin: str, make: Callable[[], bytes], odd: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {
        "suffix": ".csv", "right": "read",
        "why": "joined cells: day, store and code do not repeat once they are filled",
        "totals": totals(), "days": 10, "span": SPAN,
    }  # fmt: skip
    return row(more, name=name, kind="fill-down", case=0, like=1, origin=origin, make=make, odd=odd, **fields)


def only_first(table_rows: list[list[Any]], column: int) -> list[list[Any]]:
    """Of equal neighbours in a column only the first is written."""
    last: Any = None
    out = []
    for cells in table_rows:
        out.append([*cells[:column], "" if cells[column] == last else cells[column], *cells[column + 1 :]])
        last = cells[column]
    return out


def two_stores(stores: Sequence[str]) -> list[list[Any]]:
    """Store by store, ten days of the usual products in each; the second store is a day ahead."""
    lines = [
        [store, day, name, units(i, j + k)]
        for k, store in enumerate(stores)
        for j, day in enumerate(iso())
        for i, name in enumerate(TWO)
    ]
    return [["store", "date", "product", "sales"], *lines]


OF_TWO_STORES = {name: sum(units(i, j) + units(i, j + 1) for j in range(10)) for i, name in enumerate(TWO)}


FILL_DOWN = (
    blank_code("square-blank-sku", "Square", lambda: table(square()), "SKU is blank on two of three items",
        case=1),
    blank_code(
        "shopify-blank-sku", "Shopify", lambda: table(menu(
            ("Name", "Created at", "Lineitem quantity", "Lineitem name", "Lineitem sku"),
            lambda d, item, sku, q, k: (f"#{d.day}{k}", f"{d} 10:0{k}:00 +0000", q, item, sku))),
        "“Lineitem sku” is blank on two of three items", options=OFFSET_MAP,
    ),
    blank_code(
        "lightspeed-blank-id", "Lightspeed", lambda: table(menu(
            ("Date", "Shop", "Description", "Custom SKU", "Quantity"),
            lambda d, item, sku, q, k: (d, "Antwerp", item, sku, q)), ";"),
        "“Custom SKU” is blank on two of three items",
        options={"map": {"date": "Date", "store_id": "Shop", "product_id": "Custom SKU",
            "sales": "Quantity"}},
    ),
    blank_code(
        "clover-blank-code-workbook", "Clover", lambda: book(menu(
            ("Date", "Item Name", "Product Code", "Items Sold"),
            lambda d, item, sku, q, k: (datetime(d.year, d.month, d.day), item, sku or None, q))),
        "“Product Code” is empty on two of three items of a workbook, cells not joined", suffix=".xlsx",
        options={"map": {"date": "Date", "product_id": "Product Code", "sales": "Items Sold"}},
    ),
    blank_code(
        "german-blank-number", "German till", lambda: table(menu(
            ("Datum", "Filiale", "Artikelnummer", "Bezeichnung", "Menge"),
            lambda d, item, sku, q, k: (f"{d:%d.%m.%Y}", "F1", sku, item, q)), ";"),
        "“Artikelnummer” is blank on two of three articles",
        options={"map": {"date": "Datum", "store_id": "Filiale", "product_id": "Artikelnummer",
            "sales": "Menge"}},
    ),
    filled(
        "joined-dates-workbook", "Excel", lambda: book(
            only_first(rows(iso()), 0), joined=[f"A{r}:A{r + 1}" for r in range(2, 22, 2)]),
        "the date is a merged cell over the day's products", suffix=".xlsx",
    ),
    filled(
        "joined-stores-csv", "Excel", lambda: table(only_first(two_stores(("Nord", "Süd")), 0)),
        "the store stands only in its first row", stores=("Nord", "Süd"), totals=OF_TWO_STORES,
    ),
    filled(
        "outline-of-a-pivot", "Excel pivot",
        lambda: table(only_first(only_first(two_stores(("Nord", "Süd")), 1), 0)),
        "store and day stand only in their first row", stores=("Nord", "Süd"), totals=OF_TWO_STORES,
    ),
    filled(
        "blank-stores-of-other-towns", "Zoho", lambda: table([
            ("date", "store", "town", "product", "sales"),
            *((d, store, town, "Tea", units(k, j)) for j, d in enumerate(iso())
              for k, (store, town) in enumerate((("S1", "Pune"), ("", "Agra"), ("", "Surat"))))]),
        "the store's code is blank while the town changes", right="refuse", also=("ask",), about="store",
        says=("row 3|rows 3|line 3", "store"), totals={},
        why="filled, day, store and product would repeat and three towns become one store",
    ),
    filled(
        "blank-code-same-day", "Tally", lambda: table([
            HEADER, *((d, "S1", code, q) for d in iso() for code, q in (("T1", 3), ("", 5)))]),
        "every second row has no product", right="refuse", also=("ask",), about="product",
        says=("row 3|rows 3|line 3", "product"), totals={},
        why="filled, day, store and product would repeat: the blank is another product that nobody named",
    ),
)  # fmt: skip
