"""Prices with currencies, and what stands for a missing number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    HEADER,
    TWO,
    OddFile,
    book,
    iso,
    row,
    table,
    totals,
    units,
)


def priced(
    name: str, origin: str, prices: Sequence[Any], numbers: list[float], odd: str, why: str, **more: Any
) -> OddFile:
    """Units with a column `price` as written; what cannot be a number is empty."""
    n = len(prices)
    fields: dict[str, Any] = {
        "case": 0, "like": 9, "suffix": ".csv", "options": {"known": ["price"]}, "extras": {"price": numbers},
        "make": lambda: table(
            [(*HEADER, "price"), *((day, "S1", "Tea", units(0, j), prices[j]) for j,
                day in enumerate(iso(n)))], ";"
        ),
    }  # fmt: skip
    return row(
        more,
        name=name, kind="numbers", origin=origin, right="read", odd=odd, why=why,
        totals=totals(("Tea",), n), days=n, **fields,
    )  # fmt: skip


CURRENCIES = (
    priced("real-prices", "Brazilian", ("R$ 12,50", "R$ 12,50", "R$ 9,90"), [9.9, 12.5], "“R$ 12,50”",
           "a price in reais is a number", case=9),
    priced(
        "rupee-prices", "Indian", ("₹1,250.00", "₹1,250.00", "₹999.50"), [999.5, 1250], "“₹1,250.00”",
        "a price in rupees is a number", case=9,
        make=lambda: table([(*HEADER, "price"), *(
            (day, "S1", "Tea", units(0, j), ("₹1,250.00", "₹1,250.00", "₹999.50")[j]) for j,
            day in enumerate(iso(3))
        )]),
    ),
    priced("zloty-behind", "Polish", ("12,50 zł", "1\u00a0250,00 zł", "9,99 zł"), [9.99, 12.5, 1250],
        "“12,50 zł”",
           "the currency stands behind"),
    priced("rupiah-before", "Indonesian", ("Rp 12.500,00", "Rp12.500,00", "Rp 9.900,00"), [9900, 12500],
           "“Rp 12.500,00”, “Rp12.500,00”", "with and without a space"),
    priced("krona-both-sides", "Swedish", ("99,50 kr", "1 250,00 kr", "kr 45,90"), [45.9, 99.5, 1250],
        "“99,50 kr”, “kr 45,90”",
           "behind in Sweden, before in Norway"),
    priced("swiss-franc-code", "Swiss", ("CHF 1'250.00", "CHF 12.50", "CHF 9.95"), [9.95, 12.5, 1250],
        "“CHF 1'250.00”",
           "a code of three letters"),
    priced("euro-code-behind", "SAP", ("12,50 EUR", "1.250,00 EUR", "9,99 EUR"), [9.99, 12.5, 1250],
        "“1.250,00 EUR”",
           "a code of three letters behind"),
    priced("euro-sign-glued", "Spanish", ("12,50€", "1.250,00€", "9,99€"), [9.99, 12.5, 1250], "“12,50€”",
        "a sign without a space"),
    priced("yen-full-width", "Japanese POS", ("￥1,250.0", "¥980.5", "￥450.5"), [450.5, 980.5, 1250],
        "“￥” and “¥” in one column",
           "two signs of one currency"),
    priced("lira-sign", "Turkish", ("₺12,50", "₺1.250,00", "9,99 ₺"), [9.99, 12.5, 1250],
        "“₺12,50”, “9,99 ₺”", "any sign of Unicode"),
    priced("rouble-sign", "1C", ("1 250,00 ₽", "12,50 ₽", "9,99 ₽"), [9.99, 12.5, 1250], "“1 250,00 ₽”",
        "any sign of Unicode"),
    priced("baht-and-dollar-letters", "Thai", ("฿12.50", "US$ 9.99", "฿1,250.00"), [9.99, 12.5, 1250],
        "“฿12.50”, “US$ 9.99”",
           "letters before a sign; two currencies in one column may be told"),
    priced("dirham-code", "Arabic", ("AED 12.50", "AED 1,250.00", "AED 9.99"), [9.99, 12.5, 1250],
        "“AED 12.50”", "a code of three letters"),
    priced(
        "percent-discount", "SAP", ("10 %", "12,5%", "0 %"), [0, 10, 12.5], "a column of “12,5%”",
        "a number of percent, not a text", extras={"price": [0, 10, 12.5]},
    ),
    priced(
        "negative-dollars", "Shopify", ("$12.50", "-$2.50", "($1.25)"), [-2.5, -1.25, 12.5],
        "“-$2.50”, “($1.25)”",
        "the sign of a return stands before the currency or in brackets",
    ),
)  # fmt: skip


def nulls(token: str, sep: str = ",") -> bytes:
    """Eight days of two products; price and promo are missing on two of the days each."""
    lines = [
        (
            day,
            "S1",
            name,
            units(i, j),
            token if j in (2, 5) else 4.5 + (j > 3),
            token if j in (3, 5) else int(j % 2),
        )
        for j, day in enumerate(iso(8))
        for i, name in enumerate(TWO)
    ]
    return table([("date", "store", "product", "qty", "price", "promo"), *lines], sep)


def nulled(name: str, origin: str, token: str, odd: str, **more: Any) -> OddFile:
    fields: dict[str, Any] = {"case": 0, "suffix": ".csv", "make": lambda: nulls(token)}
    return row(
        more,
        name=name, kind="numbers", like=8, origin=origin, right="read", odd=odd,
        why="a missing price is empty and told; the column stays one of numbers",
        options={"known": ["price", "promo"]}, totals=totals(n=8), days=8,
        extras={"price": [4.5, 5.5], "promo": [0, 1]}, empty={"price": 4, "promo": 4}, **fields,
    )  # fmt: skip


def error_cells() -> bytes:
    lines = [line.split(",") for line in nulls("#N/A").decode().splitlines()]
    return book(
        [
            lines[0],
            *([c if c == "#N/A" or k < 3 else float(c) for k, c in enumerate(line)] for line in lines[1:]),
        ]
    )


NULLS = (
    nulled("null-in-price", "SQL export", "NULL", "“NULL” in price and promo", case=8),
    nulled("mysql-backslash-n", "MySQL", "\\N", "“\\N” in a file with tabs", suffix=".tsv",
        make=lambda: nulls("\\N", "\t")),
    nulled("pandas-nan", "pandas", "nan", "“nan”"),
    nulled("python-none", "Python", "None", "“None”"),
    nulled("lone-dash", "SAP", "-", "“-” for nothing"),
    nulled("long-dash", "Lightspeed", "–", "“–”, a longer dash, for nothing"),
    nulled("na-in-capitals", "R", "NA", "“NA”"),
    nulled("excel-error-cells", "Excel", "#N/A", "true error cells #N/A", suffix=".xlsx", make=error_cells),
    nulled("excel-error-texts", "Excel", "#N/A", "“#N/A” in a text file"),
    nulled("blank-with-spaces", "DOS till", "   ", "three spaces"),
)  # fmt: skip
