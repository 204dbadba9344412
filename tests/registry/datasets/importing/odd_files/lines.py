"""Lines of tills: receipts, times, hours, and copies."""

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
    named,
    row,
    rows,
    table,
    totals,
    units,
)


def scanned(
    header: Cells, line: Callable[[int, date, str, int], Cells], per_day: Sequence[int] = (4, 2)
) -> list[Cells]:
    """A line of quantity one for each pack: `per_day` of each of the usual products, on ten days."""
    lines = []
    for day in dates():
        for name, count in zip(TWO, per_day, strict=True):
            lines += [line(1000 + len(lines) + k, day, name, k) for k in range(count)]
    return [header, *lines]


def till(name: str, origin: str, make: Callable[[], bytes], odd: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {
        "case": 0, "suffix": ".csv", "right": "read", "totals": {"Tea": 40, "Coffee": 20}, "days": 10,
        "span": SPAN,
        "why": "each line is a sale of its own: add them",
    }  # fmt: skip
    return row(more, name=name, kind="lines", like=2, origin=origin, make=make, odd=odd, **fields)


POLISH_LINES = ("Nr paragonu", "Data", "Godzina", "Sklep", "Towar", "Ilość")
JAPANESE_LINES = ("日付", "時刻", "レシート番号", "店舗", "商品名", "数量")
TURKISH_LINES = ("Fiş No", "Tarih", "Mağaza", "Ürün", "Adet")
IN_ORDER = ("date", "store_id", "product_id", "sales")

LINES = (
    till(
        "receipts-of-one", "Till", lambda: table(scanned(
            ("receipt_no", "date", "time", "store", "product", "qty", "price"),
            lambda n, d, p, k: (n, d, f"{8 + k}:10", "S1", p, 1, 4.95))),
        "a line for each scanned pack: receipt, time, quantity 1", case=2,
    ),
    till(
        "polish-receipts", "Polish", lambda: table(scanned(
            POLISH_LINES, lambda n, d, p, k: (f"PA/{n}", d, f"{8 + k:02}:10", "Kraków", p, 1)), ";"),
        "“Nr paragonu”, “Godzina”, quantity 1", options=named(("Data", "Sklep", "Towar", "Ilość")),
    ),
    till(
        "japanese-receipts", "Japanese POS", lambda: table(scanned(
            JAPANESE_LINES, lambda n, d, p, k: (f"{d:%Y/%m/%d}", f"{8 + k:02}:10", n, "本店", p, 1))),
        "“時刻”, “レシート番号”, quantity 1", options=named(("日付", "店舗", "商品名", "数量")),
    ),
    till(
        "turkish-receipts-workbook", "Turkish", lambda: book(scanned(
            TURKISH_LINES, lambda n, d, p, k: (n, datetime(d.year, d.month, d.day), "Kadıköy", p, 1))),
        "“Fiş No” and quantity 1 in a workbook, no time", suffix=".xlsx", options=named(TURKISH_LINES[1:]),
    ),
    till(
        "hour-in-rows", "Clover", lambda: table(scanned(
            ("date", "hour", "store", "product", "qty"), lambda n, d, p, k: (d, 9 + k, "S1", p, 1))),
        "a row for each hour, with an hour column",
    ),
    till(
        "time-inside-the-date", "Lightspeed", lambda: table(scanned(
            HEADER, lambda n, d, p, k: (f"{d} {9 + k:02}:15:00", "S1", p, 1))),
        "“2025-02-24 09:15:00”: the time is in the date itself",
    ),
    till(
        "bare-lines-of-one", "Toast", lambda: table(scanned(HEADER, lambda n, d, p, k: (d, "S1", p, 1),
            (4, 3))),
        "three and four equal rows a day, with no receipt and no time", totals={"Tea": 40, "Coffee": 30},
        also=("ask",),
        about="duplicate", answers={"sum": {"Tea": 40, "Coffee": 30}, "last": {"Tea": 10, "Coffee": 10}},
        why="more than two rows a day and product are lines of a till",
    ),
    till(
        "receipts-with-a-return", "Square", lambda: table([
            ("Receipt", *HEADER), (1, "2025-02-24", "S1", "Tea", 2), (2, "2025-02-24", "S1", "Tea", 2),
            (3, "2025-02-24", "S1", "Tea", -1), (4, "2025-02-25", "S1", "Tea", 3),
            (5, "2025-02-25", "S1", "Tea", 3)]),
        "two equal sales and a return of one on a day", totals={"Tea": 9}, days=2,
        span=("2025-02-24", "2025-02-25"),
        why="2 + 2 − 1 and 3 + 3: equal quantities are not copies",
    ),
    till(
        "file-pasted-twice", "Excel", lambda: table([*rows(iso()), *rows(iso())[1:]]),
        "every row stands twice, alike in every cell", right="ask", also=("read", "refuse"),
        about="duplicate",
        says=("twice|duplicate|same day",), totals=totals(),
        answers={"sum": totals(stores=2), "last": totals()},
        why="whole rows are copies: added in silence, all sales would double",
    ),
    till(
        "copied-receipts", "Clover", lambda: table([
            (*HEADER, "receipt"), *((d, "S1", "Tea", 3, 500 + j) for j,
                d in enumerate(iso()) for _ in (0, 1))]),
        "each row twice with the same receipt number", right="ask", also=("read", "refuse"),
        about="duplicate",
        says=("twice|duplicate|same day",), totals={"Tea": 30},
        answers={"sum": {"Tea": 60}, "last": {"Tea": 30}},
        why="one receipt cannot be two sales: whole rows are copies",
    ),
    till(
        "two-different-rows-a-day", "Excel", lambda: table([
            HEADER, *((d, "S1", "Tea", q) for j, d in enumerate(iso()) for q in (units(0, j), units(1, j)))]),
        "two rows a day with other quantities, nothing tells them apart", right="ask", also=("refuse",),
        about="duplicate", says=("twice|duplicate|same day",),
        answers={"sum": {"Tea": sum(units(0, j) + units(1, j) for j in range(10))},
                 "last": {"Tea": sum(units(1, j) for j in range(10))}},
        totals={}, why="a correction or a second shift: only a person knows",
    ),
    till(
        "hours-as-columns", "Casio till", lambda: table([
            ("date", "store", "product", "08:00", "09:00", "10:00", "11:00"),
            *((d, "S1", "Tea", units(0, j), 1, 0, 2) for j, d in enumerate(iso()))]),
        "a column for each hour of the day", right="refuse", also=("read", "ask"), about="sales",
        says=("hour|08:00",),
        totals={"Tea": sum(units(0, j) + 3 for j in range(10))},
        why="the day is the sum of its hours; one hour must not become the sales",
    ),
    till(
        "dutch-receipts", "Dutch", lambda: table([
            ("Bonnr", "Datum", "Filiaal", "Artikel", "Aantal"),
            *((900 + 2 * j + k, f"{d:%d-%m-%Y}", "Utrecht", "Kaas", 1) for j,
                d in enumerate(dates()) for k in (0, 1))], ";"),
        "“Bonnr” and two lines of one a day", options=named(("Datum", "Filiaal", "Artikel", "Aantal")),
        totals={"Kaas": 20}, why="two equal lines with other receipt numbers are two sales",
    ),
)  # fmt: skip
