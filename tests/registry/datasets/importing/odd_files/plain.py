"""Honest files, which are read without a question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    GERMAN,
    HEADER,
    SPAN,
    THREE,
    TWO,
    OddFile,
    book,
    dates,
    iso,
    parquet,
    row,
    rows,
    table,
    text,
    totals,
    units,
)
from tests.registry.datasets.importing.odd_files.codes import series
from tests.registry.datasets.importing.odd_files.fill_down import OF_TWO_STORES, two_stores
from tests.registry.datasets.importing.odd_files.numbers import quantities
from tests.registry.datasets.importing.odd_files.totals import wide


def honest(name: str, origin: str, suffix: str, make: Callable[[], bytes], odd: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {"totals": totals(), "days": 10, "span": SPAN}
    return row(
        more,
        name=name, kind="plain", case=0, like=0, origin=origin, suffix=suffix, make=make, right="read",
        odd=odd,
        why="nothing is open: no question", **fields,
    )  # fmt: skip


def weights(mark: str) -> list[list[Any]]:
    return rows(iso(), number=lambda q: f"{q + 0.5}".replace(".", mark))


HALVES = {name: total + 5 for name, total in totals().items()}

PLAIN = (
    honest("plain-iso", "Own table", ".csv", lambda: table(rows(iso())), "ISO days, commas"),
    honest("plain-our-names", "Own table", ".csv", lambda: table(series(TWO, "S1")),
        "the product's own column names"),
    honest("plain-german", "German", ".csv",
        lambda: table(rows([f"{d:%d.%m.%Y}" for d in dates()], header=GERMAN), ";"),
           "24.02.2025, semicolons, German names"),
    honest("plain-american", "Clover", ".csv", lambda: table(rows([f"{d:%m/%d/%Y}" for d in dates()])),
        "02/24/2025: days over 12 show the order"),
    honest("plain-french", "French", ".csv", lambda: table(rows([f"{d:%d/%m/%Y}" for d in dates()],
           header=("Date", "Magasin", "Produit", "Quantité")), ";"), "24/02/2025, French names"),
    honest("plain-chinese", "Chinese ERP", ".csv",
        lambda: table(rows(iso(), ("矿泉水", "方便面"), ("日期", "门店", "商品", "销量"), "朝阳店")),
           "UTF-8, Chinese names", totals=totals(("矿泉水", "方便面")), stores=("朝阳店",)),
    honest("plain-eight-figures", "SAP", ".csv", lambda: table(rows([f"{d:%Y%m%d}" for d in dates()]), ";"),
        "20250224"),
    honest("plain-tabs", "Database", ".tsv", lambda: table(rows(iso()), "\t"), "tabs"),
    honest("plain-workbook", "Excel", ".xlsx",
        lambda: book(rows([datetime(d.year, d.month, d.day) for d in dates()])), "true dates and numbers"),
    honest("plain-workbook-texts", "Excel", ".xlsx", lambda: book(rows(iso(), number=str)),
        "numbers as texts “3”, “10”: nothing but digits"),
    honest("plain-workbook-title", "Excel", ".xlsx", lambda: book([["Sales of March"], [], *rows(iso())]),
        "a title above the table"),
    honest("plain-parquet", "pandas", ".parquet", lambda: parquet(dict(zip(
        ("date", "store_id", "product_id", "sales"), map(list, zip(*rows(dates())[1:], strict=True)),
        strict=True))), "true types"),
    honest("plain-wide-products", "Own table", ".csv", lambda: table(wide(n=10)), "a column for each product",
        totals=totals(THREE)),
    honest("plain-wide-days", "Own table", ".csv", lambda: table([
        ["store", "product", *iso()], *(["S1", name, *(units(i, j) for j in range(10))] for i,
            name in enumerate(TWO))]), "a column for each day"),
    honest("plain-mark", "Excel", ".csv", lambda: table(rows(iso(), ("Müsli", "Käse")), encoding="utf-8-sig"),
        "UTF-8 with its mark at the start",
           totals=totals(("Müsli", "Käse"))),
    honest("plain-windows-lines", "Windows", ".csv", lambda: text(*(
        ",".join(f'"{cell}"' for cell in row) for row in rows(iso())), newline="\r\n"),
        "CR LF, every cell in quotes"),
    honest("plain-zeros-before", "Pharmacy", ".csv", lambda: table(rows(iso(), ("007", "010"), store="0042")),
        "codes with zeros before them",
           totals=totals(("007", "010")), codes=("007", "010"), stores=("0042",)),
    honest("plain-decimal-point", "Cheese counter", ".csv", lambda: table(weights(".")), "weights 3.5",
        totals=HALVES),
    honest("plain-decimal-comma", "Cheese counter", ".csv", lambda: table(weights(","), ";"), "weights 3,5",
        totals=HALVES),
    honest("plain-returns", "Own table", ".csv", lambda: table(quantities(("12", "-3", "45"))),
        "a day with more returns than sales",
           totals={"Masks": 54}, days=3, span=(SPAN[0], "2025-02-26")),
    honest("plain-price-and-promo", "Own table", ".csv", lambda: table([
        (*HEADER, "price", "promo"), *((*row, 4.5, k % 2) for k, row in enumerate(rows(iso())[1:]))]),
        "numbers in further columns",
           options={"known": ["price", "promo"]}, extras={"price": [4.5], "promo": [0, 1]}),
    honest("plain-zero-days", "Own table", ".csv", lambda: table(quantities(("12", "0", "0", "45"))),
        "days on which nothing was sold",
           totals={"Masks": 57}, days=4, span=(SPAN[0], "2025-02-27")),
    honest("plain-two-stores", "Own table", ".csv", lambda: table(two_stores(("North", "South"))),
        "two stores, one after the other", stores=("North", "South"),
           totals=OF_TWO_STORES),
    honest("plain-english-total", "Excel", ".csv", lambda: table(wide("Grand Total", 10)),
        "a last column “Grand Total”, which is left out",
           totals=totals(THREE)),
    honest("plain-midnight", "Database", ".csv", lambda: table(rows([f"{d} 00:00:00" for d in dates()])),
        "2025-02-24 00:00:00"),
)  # fmt: skip
