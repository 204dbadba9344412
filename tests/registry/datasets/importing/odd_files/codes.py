"""Codes with odd spaces, invisible characters, points, and barcodes that lost digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    HEADER,
    SPAN,
    START,
    OddFile,
    book,
    iso,
    row,
    rows,
    table,
    totals,
    units,
)


def coded(
    name: str, origin: str, written: Sequence[str], tidy: Sequence[str], odd: str, why: str, **more: Any
) -> OddFile:
    """The usual products under odd codes, and how they are to be called."""
    fields: dict[str, Any] = {
        "case": 0, "like": 12, "suffix": ".csv", "right": "read", "make": lambda: table(rows(iso(), written)),
        "totals": totals(tidy), "codes": tuple(tidy),
    }  # fmt: skip
    return row(more, name=name, kind="codes", origin=origin, odd=odd, why=why, days=10, span=SPAN, **fields)


SPACE = "a space that looks like another is a plain space in a code"
KEEP_OR_DROP = "a format character is kept or dropped, the product is never lost"


def alternating(*writings: str) -> bytes:
    """One product, written in turn in one way or the other."""
    lines = [(d, "S1", writings[j % len(writings)], units(0, j)) for j, d in enumerate(iso())]
    return table([HEADER, *lines])


def series(codes: Sequence[Any], store: Any, n: int = 10, start: date = START) -> list[list[Any]]:
    return rows(iso(n, start), codes, ("date", "store_id", "product_id", "sales"), store)


def barcodes(codes: Sequence[Any], sep: str = ",") -> list[list[Any]]:
    return rows(iso(), codes, ("date", "store", "barcode", "qty"))


MARCH = date(2025, 3, 6)
NUMBERED = {
    str(7001 + i): total + sum(units(i, j) for j in range(20)) for i, total in enumerate(totals().values())
}


def two_files(
    name: str, origin: str, make: Callable[[], bytes], newer: Callable[[], bytes], odd: str, **more: Any
) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "suffix": ".csv"}
    return row(
        more,
        name=name, kind="codes", like=15, origin=origin, make=make, newer=newer, right="read", odd=odd,
        why="a whole number with .0 throughout is the number: one store, two products, 30 days",
        totals=NUMBERED, codes=("7001", "7002"), stores=("204",), days=30, span=("2025-02-24", "2025-03-25"),
        **fields,
    )  # fmt: skip


def lost_digits(
    name: str, origin: str, make: Callable[[], bytes], value: str, odd: str, **more: Any
) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "suffix": ".csv", "options": {"map": {"product_id": "barcode"}}}
    return row(
        more,
        name=name, kind="codes", like=16, origin=origin, make=make, right="refuse", odd=odd,
        why="the last digits are gone and other articles may share what is left: say how to export it",
        says=("digits|shortened|barcode", value), **fields,
    )  # fmt: skip


SHORT = ("5.90123E+12", "4.00639E+12")
FLOATS = ("7001.0", "7002.0")

CODES = (
    coded("no-break-space-in-code", "French", ("Efferalgan 500\u00a0mg", "Doliprane"),
        ("Efferalgan 500 mg", "Doliprane"),
          "U+00A0 in “Efferalgan 500 mg”", SPACE, case=12),
    coded("thin-space-in-code", "French", ("Spasfon\u202f/80", "Dafalgan\u2009500"),
        ("Spasfon /80", "Dafalgan 500"),
          "U+202F and U+2009", SPACE),
    coded("ideographic-space-in-code", "Japanese POS", ("緑茶\u3000500", "水"), ("緑茶 500", "水"), "U+3000",
        SPACE),
    coded("tab-behind-code", "SAP", ("T-100\t", "\tT-200"), ("T-100", "T-200"),
        "a tab before or behind a code", "spaces around a code are not part of it"),
    coded("zero-width-in-code", "Web shop", ("AB\u200b-12", "CD-34"), ("AB-12", "CD-34"),
        "U+200B inside “AB-12”", KEEP_OR_DROP,
          aliases={"AB-12": "AB\u200b-12"}, codes=()),
    coded("soft-hyphen-in-code", "German", ("Hals\u00adbonbon", "Tee"), ("Halsbonbon", "Tee"),
        "U+00AD inside a name", KEEP_OR_DROP,
          aliases={"Halsbonbon": "Hals\u00adbonbon"}, codes=()),
    coded("mark-before-code", "Excel", ("\ufeff7001", "7002"), ("7001", "7002"), "U+FEFF before a code",
        KEEP_OR_DROP,
          aliases={"7001": "\ufeff7001"}, codes=()),
    coded("joiner-of-persian", "Persian", ("می\u200cکوبی", "چای"), ("می\u200cکوبی", "چای"),
        "U+200C, which Persian needs", KEEP_OR_DROP,
          aliases={"می\u200cکوبی": "میکوبی"}, codes=()),
    coded("right-to-left-mark", "Arabic", ("شاي\u200f", "قهوة"), ("شاي", "قهوة"), "U+200F behind a name",
        KEEP_OR_DROP,
          aliases={"شاي": "شاي\u200f"}, codes=()),
    coded("emoji-joined", "Square", ("Box 👩\u200d🍳", "Tea 🍵"), ("Box 👩\u200d🍳", "Tea 🍵"),
        "an emoji of two with U+200D", KEEP_OR_DROP,
          aliases={"Box 👩\u200d🍳": "Box 👩🍳"}, codes=()),
    coded(
        "with-and-without-zero-width", "Web shop", (), (), "“AB-12” with U+200B on every second day",
        "nobody can see the difference: one product", make=lambda: alternating("AB-12", "AB\u200b-12"),
        totals={"AB-12": totals(("AB-12",))["AB-12"]}, aliases={"AB-12": "AB\u200b-12"}, codes=(),
        also=("ask",), about="product",
    ),
    coded(
        "composed-and-not", "Mac and Windows", (), (), "“Café” with é, and with e and U+0301",
        "the same letter in two writings: one product", make=lambda: alternating("Café", "Cafe\u0301"),
        totals={"Café": totals(("Café",))["Café"]}, aliases={"Café": "Cafe\u0301"}, codes=(), also=("ask",),
        about="product",
    ),
    two_files(
        "whole-then-floats", "pandas", lambda: table(series((7001, 7002), 204)),
        lambda: table(series(FLOATS, "204.0", 20, MARCH)),
        "204 and 7001, then 204.0 and 7001.0", case=15,
    ),
    two_files(
        "floats-then-whole", "pandas", lambda: table(series(FLOATS, "204.0")),
        lambda: table(series((7001, 7002), 204, 20, MARCH)),
        "204.0 and 7001.0, then 204 and 7001",
    ),
    two_files(
        "workbook-then-floats", "Excel", lambda: book(series((7001, 7002), 204)),
        lambda: book(series(FLOATS, "204.0", 20, MARCH)),
        "true numbers, then texts 204.0 and 7001.0", suffix=".xlsx",
    ),
    coded(
        "floats-throughout", "pandas", FLOATS, ("7001", "7002"), "7001.0 and 7002.0",
        "with .0 throughout they are whole numbers",
        like=15, make=lambda: table(series(FLOATS, "204.0")), stores=("204",),
    ),
    coded(
        "points-that-mean-something", "Hardware store", ("7001.0", "7001.5"), ("7001.0", "7001.5"),
        "7001.0 beside 7001.5",
        "not .0 throughout: the point is part of the code", like=15,
    ),
    coded(
        "leading-zeros", "Pharmacy", ("00123", "00456"), ("00123", "00456"), "00123",
        "zeros before a code stay", like=15,
    ),
    lost_digits("barcodes-shortened", "Excel", lambda: table(barcodes(SHORT)), "5.90123E+12",
        "barcodes “5.90123E+12”", case=16),
    lost_digits("barcodes-shortened-comma", "German Excel",
        lambda: table(barcodes([c.replace(".", ",") for c in SHORT]), ";"),
                "5,90123E+12", "barcodes “5,90123E+12”"),
    lost_digits("barcodes-shortened-texts", "Excel", lambda: book(barcodes(SHORT)), "5.90123E+12",
        "texts “5.90123E+12” in a workbook",
                suffix=".xlsx"),
    lost_digits("barcodes-shortened-small-e", "LibreOffice",
        lambda: table(barcodes(("4.00639e+12", "6.9e+12"))), "e+12", "“4.00639e+12”, “6.9e+12”"),
    lost_digits("barcodes-partly-shortened", "Excel", lambda: table(barcodes(("5.90123E+12", "T-100"))),
        "5.90123E+12",
                "one article is “5.90123E+12”, the other T-100"),
    coded(
        "barcodes-true-numbers", "Excel", (), ("5901234123457", "4006381333931"),
        "13 digits as true numbers, which Excel only shows short",
        "every digit is there", like=16, suffix=".xlsx",
        make=lambda: book(barcodes((5901234123457, 4006381333931))),
        options={"map": {"product_id": "barcode"}},
    ),
    coded(
        "barcodes-as-formulas", "Lightspeed", (), ("0012345678905", "4006381333931"),
        '="0012345678905": the guard against Excel',
        "the code is inside the quotes", like=16, options={"map": {"product_id": "barcode"}},
        make=lambda: table(barcodes(('="0012345678905"', '="4006381333931"'))),
    ),
    coded(
        "codes-like-powers", "Electronics", ("3E8", "12E4"), ("3E8", "12E4"), "models “3E8” and “12E4”",
        "no digits are lost: names of models, kept as they are", like=16,
    ),
)  # fmt: skip
