"""Units and turnover side by side."""

from __future__ import annotations

from collections.abc import Callable
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
    rows,
    table,
    totals,
    units,
)


def money(
    name: str,
    origin: str,
    header: Cells,
    line: Callable[[date, str, int, float], Cells],
    columns: tuple[str, str],
    **more: Any,
) -> OddFile:
    """Units and turnover side by side; `columns` are the names of both."""
    price = {"Tea": 2.4, "Coffee": 3.15}
    lines = [
        line(d, name, units(i, j), round(units(i, j) * price[name], 2))
        for j, d in enumerate(dates())
        for i, name in enumerate(TWO)
    ]
    turnover = {p: round(sum(units(i, j) * price[p] for j in range(10)), 2) for i, p in enumerate(TWO)}
    fields: dict[str, Any] = {"case": 0, "sep": ",", "suffix": ".csv"}
    fields |= more
    sep = fields.pop("sep")
    make = (
        (lambda: book([header, *lines]))
        if fields["suffix"] == ".xlsx"
        else (lambda: table([header, *lines], sep))
    )
    return OddFile(
        name=name, kind="money", like=17, origin=origin, make=make, right="read", also=("ask",),
        odd=f"“{columns[1]}” is money and stands beside “{columns[0]}”", about="sales",
        why="units are to be forecast: take them and say so, or ask; never the money in silence",
        totals=totals(), days=10, span=SPAN, answers={columns[0]: totals(), columns[1]: turnover}, **fields,
    )  # fmt: skip


MONEY = (
    money(
        "superstore", "Superstore", ("Order Date", "Region", "Product ID", "Sales", "Quantity", "Discount",
            "Profit"),
        lambda d, p, q, m: (f"{d:%m/%d/%Y}", "West", p, f"{m:.4f}", q, 0.2, f"{m / 10:.4f}"),
        ("Quantity", "Sales"), case=17,
    ),
    money(
        "german-umsatz", "German till", ("Datum", "Filiale", "Artikel", "Umsatz", "Menge"),
        lambda d, p, q, m: (f"{d:%d.%m.%Y}", "F1", p, f"{m:.2f}".replace(".", ","), q), ("Menge", "Umsatz"),
        sep=";",
    ),
    money(
        "chinese-amount", "Chinese ERP", ("日期", "门店", "商品", "销售额", "数量"),
        lambda d, p, q, m: (d, "朝阳店", p, f"{m:.2f}", q), ("数量", "销售额"), stores=("朝阳店",),
    ),
    money(
        "toast-net-sales", "Toast", ("Date", "Location", "Menu Item", "Net Sales", "Qty Sold"),
        lambda d, p, q, m: (d, "Main St", p, f"${m:.2f}", q), ("Qty Sold", "Net Sales"),
        options={"map": {"product_id": "Menu Item"}},
    ),
    money(
        "polish-value", "Polish", ("Data", "Sklep", "Towar", "Wartość sprzedaży", "Ilość"),
        lambda d, p, q, m: (d, "Łódź", p, f"{m:.2f}".replace(".", ",") + " zł", q),
        ("Ilość", "Wartość sprzedaży"),
        sep=";", options={"map": {"date": "Data", "store_id": "Sklep", "product_id": "Towar"}},
    ),
    money(
        "french-chiffre-d-affaires", "French", ("Date", "Magasin", "Produit", "CA TTC", "Quantité"),
        lambda d, p, q, m: (d, "Lyon", p, f"{m:.2f}".replace(".", ","), q), ("Quantité", "CA TTC"), sep=";",
    ),
    money(
        "clover-revenue-workbook", "Clover", ("Date", "Store", "Product", "Sales", "Items Sold"),
        lambda d, p, q, m: (datetime(d.year, d.month, d.day), "S1", p, m, q), ("Items Sold", "Sales"),
        suffix=".xlsx",
    ),
    OddFile(
        "sales-is-quantity", "money", 0, 17, "Own table", ".csv",
        lambda: table([(*HEADER, "quantity"), *([*row, row[-1]] for row in rows(iso())[1:])]), "read",
        "“sales” and “quantity” are the same number on every row", "sales / quantity is 1: nothing to ask",
        totals=totals(), days=10, span=SPAN,
    ),
    OddFile(
        "only-turnover", "money", 0, 17, "Own table", ".csv",
        lambda: table(rows(iso(), header=("date", "store", "product", "turnover"),
            number=lambda q: f"{q * 2.5:.2f}")),
        "read", "there is only money, no quantity",
        "turnover may be forecast too: no question of units or money",
        options={"map": {"sales": "turnover"}},
        totals={name: 2.5 * total for name, total in totals().items()}, days=10, span=SPAN,
    ),
)  # fmt: skip
