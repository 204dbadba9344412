"""Rows and columns that add the others up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    HEADER,
    THREE,
    TWO,
    OddFile,
    book,
    iso,
    row,
    rows,
    table,
    totals,
    units,
)

FORTNIGHT = ("2025-02-24", "2025-03-09")


def with_total(total: str, names: Sequence[str] = THREE, n: int = 14) -> list[list[Any]]:
    """A long table in which a row behind the products of each day adds them up."""
    out: list[list[Any]] = [list(HEADER)]
    for j, day in enumerate(iso(n)):
        out += [[day, "S1", name, units(i, j)] for i, name in enumerate(names)]
        out.append([day, "S1", total, sum(units(i, j) for i in range(len(names)))])
    return out


def total_called(name: str, origin: str, total: str, *, case: int = 0, **more: Any) -> OddFile:
    fields: dict[str, Any] = {"suffix": ".csv", "make": lambda: table(with_total(total), ";")}
    return row(
        more,
        name=name, kind="totals", case=case, like=6, origin=origin, right="read",
        odd=f"a product “{total}” on every day",
        why="it adds the others up: left out and told", totals=totals(THREE, 14), days=14, span=FORTNIGHT,
        **fields,
    )  # fmt: skip


def sums(name: str, origin: str, make: Callable[[], bytes], odd: str, why: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {"suffix": ".csv", "totals": totals(THREE, 14), "days": 14, "span": FORTNIGHT}
    return row(
        more,
        name=name,
        kind="totals",
        case=0,
        like=6,
        origin=origin,
        make=make,
        right="read",
        odd=odd,
        why=why,
        **fields,
    )


def wide(total: str | None = None, n: int = 14) -> list[list[Any]]:
    """A column for each product, and one more for their sum."""
    lines = []
    for j, day in enumerate(iso(n)):
        line = [units(i, j) for i in range(3)]
        lines.append([day, *line, *([sum(line)] if total is not None else [])])
    return [["date", *THREE, *([total] if total is not None else [])], *lines]


def stores_and_sum(total: str) -> list[list[Any]]:
    lines = []
    for j, d in enumerate(iso(14)):
        for i, name in enumerate(TWO):
            lines += [
                [d, "Nord", name, units(i, j)], [d, "Sud", name, units(i, j + 1)],
                [d, total, name, units(i, j) + units(i, j + 1)],
            ]  # fmt: skip
    return [list(HEADER), *lines]


BOTH_STORES = {name: sum(units(i, j) + units(i, j + 1) for j in range(14)) for i, name in enumerate(TWO)}
UNNAMED: dict[str, Any] = {"also": ("ask",), "about": "totals"}

TOTALS = (
    total_called("italian-totale", "Italian", "Totale", case=6),
    total_called("russian-itogo", "1C", "Итого"),
    total_called("japanese-gokei", "Japanese POS", "合計"),
    total_called("chinese-heji", "Chinese ERP", "合计"),
    total_called("korean-hapgye", "Korean", "합계"),
    total_called("turkish-toplam", "Turkish", "TOPLAM"),
    total_called("polish-razem", "Polish", "Razem"),
    total_called("spanish-total-general", "Spanish", "Total general"),
    total_called("portuguese-total-geral", "Brazilian", "Total geral"),
    total_called("dutch-totaal", "Dutch", "Eindtotaal"),
    total_called("arabic-total", "Arabic", "المجموع"),
    total_called("german-summe-colon", "German till", "Summe:"),
    sums(
        "range-named-otherwise", "Swiss", lambda: table(with_total("Sortiment"), ";"),
        "a product “Sortiment” equals the sum of the others on each of 14 days",
        "a total, whatever it is called", **UNNAMED,
    ),
    sums(
        "number-for-a-total", "SAP", lambda: table(with_total("9999"), ";"),
        "a product “9999” equals the sum of the others",
        "tills use a number for the whole", **UNNAMED,
    ),
    sums(
        "wide-total-named-otherwise", "Swedish", lambda: table(wide("Alla varor")),
        "a last column “Alla varor” equals the sum of the others",
        "a total, whatever it is called", **UNNAMED,
    ),
    sums(
        "wide-itogo-workbook", "1C", lambda: book(wide("Итого")), "a last column “Итого” in a workbook",
        "a total by name and by sum",
        suffix=".xlsx",
    ),
    sums(
        "store-that-adds-up", "French", lambda: table(stores_and_sum("Ensemble"), ";"),
        "a store “Ensemble” equals the two others on every day",
        "a total among the stores", totals=BOTH_STORES, stores=("Nord", "Sud"), **UNNAMED,
    ),
    sums(
        "row-of-totals-at-the-end", "Lightspeed",
        lambda: table([*wide(), ["Gesamtsumme", *totals(THREE, 14).values()]], ";"),
        "a last row “Gesamtsumme” under the columns", "no day: left out and told",
    ),
    sums(
        "brand-called-total", "Pharmacy",
        lambda: table(rows(iso(14), ("Colgate Total", "Total Fiber", "Zahnseide"))),
        "products “Colgate Total” and “Total Fiber”, which add nothing up", "brands, not totals: kept",
        totals=totals(("Colgate Total", "Total Fiber", "Zahnseide"), 14),
    ),
    sums(
        "nearly-the-sum", "Bakery", lambda: table([
            *with_total("Gift box", TWO)[:-1], [iso(14)[-1], "S1", "Gift box", 2]]),
        "“Gift box” equals the sum of the two others on 13 of 14 days",
        "not on every day: a product, kept (a question is fine)",
        totals=totals(TWO, 14) | {"Gift box": sum(units(0, j) + units(1, j) for j in range(13)) + 2},
        also=("ask",),
        about="totals",
    ),
)  # fmt: skip
