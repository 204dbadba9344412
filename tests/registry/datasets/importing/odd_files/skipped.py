"""Files in which nothing, or one row, cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    GERMAN,
    OddFile,
    dates,
    iso,
    row,
    rows,
    table,
    text,
)
from tests.registry.datasets.importing.odd_files.numbers import quantities


def unusable(
    name: str, origin: str, make: Callable[[], bytes], says: tuple[str, ...], odd: str, why: str, **more: Any
) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "suffix": ".csv"}
    return row(
        more,
        name=name, kind="skipped", like=14, origin=origin, make=make, right="refuse", says=says, odd=odd,
        why=why,
        **fields,
    )  # fmt: skip


FIRST = "row 2|rows 2|line 2"
ALL_SKIPPED = (
    "no row is left: say the finding that took most of them, with row, column, value and what to write"
)

SKIPPED = (
    unusable(
        "no-day-is-a-date", "German till",
        lambda: table(rows([f"Tag {i}" for i in range(1, 11)], header=GERMAN), ";"),
        (FIRST, "Datum|date", "Tag 1"), "“Tag 1” … “Tag 10” instead of days", ALL_SKIPPED, case=14,
    ),
    unusable(
        "no-quantity-is-a-number", "French",
        lambda: table(rows(iso(), header=("Date", "Magasin", "Produit", "Quantité"),
                                                           number=lambda q: "beaucoup"), ";"),
        (FIRST, "Quantité|sales", "beaucoup"), "“beaucoup” in every cell of the quantity", ALL_SKIPPED,
    ),
    unusable(
        "no-product-anywhere", "Spanish", lambda: table(rows(iso(), ("", ""))), (FIRST, "product"),
        "the product is empty in every row", ALL_SKIPPED,
    ),
    unusable(
        "dates-cut-off", "Excel", lambda: table(rows(["########"] * 10)), (FIRST, "date", "###"),
        "“########”: the column was too narrow when it was printed", ALL_SKIPPED,
    ),
    unusable(
        "a-day-that-never-was", "Own table", lambda: table(rows([*iso(5), "2025-02-30"], ("Tea",))),
        ("row 7|rows 7|line 7", "date", "2025-02-30"), "“2025-02-30” in one row",
        "one row, named with its column and value; the day is not one on which the shop was closed",
    ),
    unusable(
        "one-word-as-quantity", "Portuguese", lambda: table(quantities(("12", "30", "esgotado", "45"))),
        ("row 4|rows 4|line 4", "sales", "esgotado"), "“esgotado” (sold out) in one row",
        "one row, named with its column and value",
    ),
    unusable(
        "unquoted-decimal-comma", "Italian", lambda: text("date,store,product,sales", "2025-02-24,S1,Tea,3",
                                                         "2025-02-25,S1,Tea,4", "2025-02-26,S1,Tea,5,5",
                                                         "2025-02-27,S1,Tea,6"),
        ("row 4|rows 4|line 4",), "“5,5” without quotes makes one cell too many",
        "nobody knows which cell is which in that row",
    ),
    unusable(
        "a-month-in-another-writing", "Two tills", lambda: table(rows(
            [d.isoformat() if d.month != 3 else f"day {d.day} of 3rd month" for d in dates(60,
                date(2025, 2, 1))], ("Tea",))),
        ("row 30|rows 30|line 30|rows 30–60|rows 30-60", "date", "day 1 of 3rd month"),
        "the whole of March says “day 1 of 3rd month”",
        "leaving out a whole month is no proposal, and it was not closed",
    ),
    unusable("header-only", "SQL export", lambda: text("date,store,product,sales"),
        ("row|rows|empty|no sales|nothing",),
             "column names and no row", "say that there is nothing in it"),
    unusable("nothing-at-all", "Broken export", lambda: b"", ("empty",), "0 bytes", "say that it is empty"),
    unusable("all-quantities-empty", "Template", lambda: table(rows(iso(), number=lambda q: "")),
        ("sales|empty|no row",),
             "the quantity is empty in every row", "a template that nobody filled in"),
)  # fmt: skip
