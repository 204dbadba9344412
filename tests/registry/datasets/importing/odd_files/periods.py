"""Weeks, months and quarters, which are not days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from tests.registry.datasets.importing.odd_files.building import START, OddFile, row, rows, table


def weeks_wide(names: Sequence[Any], sep: str = ";") -> bytes:
    lines = [["1000", article, *range(80 + i, 80 + i + len(names))] for i, article in enumerate(("M1", "M2"))]
    return table([["Store", "Item", *names], *lines], sep)


def refused_period(
    name: str, origin: str, make: Callable[[], bytes], odd: str, says: str, **more: Any
) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "like": 5, "suffix": ".csv"}
    return row(
        more,
        name=name, kind="dates", origin=origin, make=make, right="refuse", says=(says,), odd=odd,
        why="weeks and months are not days: taken for days, a year would be sold on a few of them",
        **fields,
    )  # fmt: skip


PERIODS = (
    refused_period(
        "weeks-as-columns", "SAP", lambda: weeks_wide(range(202511, 202541)),
        "columns 202511 … 202540 are calendar weeks", "week", case=5,
    ),
    refused_period(
        "iso-weeks-in-rows", "Swedish",
        lambda: table(rows([f"2025-W{w:02}" for w in range(9, 21)],
            header=("week", "store", "product", "qty")), ";"),
        "a row per ISO week, “2025-W09”", "week", options={"map": {"date": "week"}},
    ),
    refused_period(
        "german-kw-columns", "German", lambda: weeks_wide([f"KW {w}" for w in range(9, 21)]),
        "columns “KW 9” … “KW 20”", "week",
    ),
    refused_period(
        "french-semaine-rows", "French",
        lambda: table(rows([f"2025-S{w:02}" for w in range(9, 21)],
            header=("Semaine", "Magasin", "Produit", "Quantité"))),
        "a row per week, “2025-S09”", "week", options={"map": {"date": "Semaine"}},
    ),
    refused_period(
        "chinese-week-columns", "Chinese ERP", lambda: weeks_wide([f"第{w}周" for w in range(9, 21)], ","),
        "columns “第9周” … “第20周”", "week",
    ),
    refused_period(
        "year-and-week-apart", "SAP",
        lambda: table([("Year", "Week", "Store", "Product", "Qty"),
            *((2025, w, "S1", "Tea", 30 + w) for w in range(9, 21))]),
        "year and week number in two columns, no day at all", "week|day|date",
    ),
    refused_period(
        "week-ending-sundays", "Nielsen",
        lambda: table(rows([str(START + timedelta(days=6 + 7 * w)) for w in range(12)],
                           header=("Week ending", "store", "product", "qty"))),
        "true days, but every one is a Sunday and the column says “week ending”", "week",
        options={"map": {"date": "Week ending"}},
    ),
    refused_period(
        "months-as-columns", "Excel", lambda: weeks_wide([f"{m} 25" for m in ("Jan", "Feb", "Mar", "Apr",
            "May", "Jun", "Jul")], ","),
        "columns “Jan 25” … “Jul 25”", "month",
    ),
    refused_period(
        "months-in-rows-six-figures", "SAP",
        lambda: table(rows([f"2025{m:02}" for m in range(1, 13)],
            header=("Period", "store", "product", "qty")), ";"),
        "“202501” … “202512” in rows", "month", options={"map": {"date": "Period"}},
    ),
    refused_period(
        "months-that-look-like-days", "SAP",
        lambda: table(rows([f"2012{m:02}" for m in range(1, 13)],
            header=("Period", "store", "product", "qty")), ";"),
        "“201201” … “201212”: months of 2012, or the first days of December 2020", "month",
        options={"map": {"date": "Period"}}, right="ask", also=("refuse",), about="dates",
        spans={"ymd": ("2020-12-01", "2020-12-12")},
    ),
    refused_period(
        "months-of-two-years-six-figures", "SAP",
        lambda: table(rows([f"{y}{m:02}" for y in (2012, 2013) for m in range(1, 13)],
            header=("Period", "store", "product", "qty")), ";"),
        "“201201” … “201312”: no order of days reads all of them", "month",
        options={"map": {"date": "Period"}},
    ),
    refused_period(
        "months-as-columns-six-figures", "SAP", lambda: weeks_wide([f"2012{m:02}" for m in range(1, 13)]),
        "columns 201201 … 201212", "month", right="ask", also=("refuse",), about="dates",
    ),
    refused_period(
        "weeks-that-look-like-days", "SAP",
        lambda: table(rows([f"2012{w:02}" for w in range(1, 53)],
            header=("Period", "store", "product", "qty")), ";"),
        "“201201” … “201252”: calendar weeks of 2012", "week", options={"map": {"date": "Period"}},
    ),
    refused_period(
        "months-russian", "1C",
        lambda: table(rows([f"{m} 2025" for m in ("Январь", "Февраль", "Март", "Апрель", "Май", "Июнь")]),
            ";"),
        "“Январь 2025” in rows", "month",
    ),
    refused_period(
        "quarters-as-columns", "Excel", lambda: weeks_wide([f"{y} Q{q}" for y in (2024, 2025) for q in (1, 2,
            3, 4)], ","),
        "columns “2024 Q1” … “2025 Q4”", "quarter",
    ),
    refused_period(
        "fiscal-periods", "SAP",
        lambda: table(rows([f"P{p:02} FY25" for p in range(1, 13)],
            header=("Period", "store", "product", "qty"))),
        "“P01 FY25”: months of a business year", "period|month|fiscal|P01 FY25",
        options={"map": {"date": "Period"}},
    ),
    refused_period(
        "first-of-each-month", "Power BI",
        lambda: table(rows([str(date(2025, m, 1)) for m in range(1, 13)]), ","),
        "true days, but each is the first of a month", "month",
    ),
)  # fmt: skip
