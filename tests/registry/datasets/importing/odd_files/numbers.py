"""Quantities: points, commas, groups and digits of other scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    GERMAN,
    HEADER,
    Cells,
    OddFile,
    book,
    iso,
    row,
    table,
)

DOTTED = ("943", "1.036", "1.275", "2.415", "988", "1.120", "865", "1.490", "2.015", "970")
THOUSANDS = [int(value.replace(".", "")) for value in DOTTED]
AS_DECIMALS = [float(value) for value in DOTTED]


def quantities(written: Sequence[Any], product: str = "Masks", header: Cells = HEADER) -> list[list[Any]]:
    """A long table of one product, with quantities as written."""
    return [
        list(header),
        *([day, "S1", product, value] for day, value in zip(iso(len(written)), written, strict=True)),
    ]


def number_as(
    name: str, origin: str, written: Sequence[Any], total: float, odd: str, why: str, **more: Any
) -> OddFile:
    """Quantities of one product that can be read in one way only, in a file with semicolons."""
    fields: dict[str, Any] = {
        "case": 0, "like": 4, "suffix": ".csv", "right": "read",
        "make": lambda: table(quantities(written), ";"),
    }  # fmt: skip
    return row(
        more,
        name=name, kind="numbers", origin=origin, odd=odd, why=why, totals={"Masks": total},
        days=len(written),
        span=(iso(len(written))[0], iso(len(written))[-1]), **fields,
    )  # fmt: skip


DECIMAL = {"comma": {"Masks": float(sum(THOUSANDS))}, "point": {"Masks": round(sum(AS_DECIMALS), 3)}}
DECIMAL_OF_COMMAS = {"point": DECIMAL["comma"], "comma": DECIMAL["point"]}
ASKS_DECIMAL: dict[str, Any] = {"right": "ask", "also": ("read",), "about": "decimal", "answers": DECIMAL}
COMMAS = tuple(value.replace(".", ",") for value in DOTTED)

NUMBERS = (
    number_as(
        "text-cells-dotted-thousands", "German", DOTTED, sum(THOUSANDS),
        "texts “943”, “1.036”, “2.415” in a workbook",
        "pieces by the thousand or kilograms: only a person knows",
        case=4, suffix=".xlsx", make=lambda: book(quantities(DOTTED, header=GERMAN)), **ASKS_DECIMAL,
    ),
    number_as(
        "dotted-thousands-csv", "Turkish", DOTTED, sum(THOUSANDS), "“1.036” in a file with semicolons",
        "the same question", **ASKS_DECIMAL,
    ),
    number_as(
        "comma-thousands-in-comma-csv", "Toast", COMMAS, sum(THOUSANDS), "“1,036” in quotes between commas",
        "the separator does not answer it: quotes are there for either meaning",
        make=lambda: table(quantities(COMMAS)), **ASKS_DECIMAL | {"answers": DECIMAL_OF_COMMAS},
    ),
    number_as(
        "text-cells-comma-thousands", "Lightspeed", COMMAS, sum(THOUSANDS), "texts “1,036” in a workbook",
        "the same question with the other mark", suffix=".xlsx", make=lambda: book(quantities(COMMAS)),
        **ASKS_DECIMAL | {"answers": DECIMAL_OF_COMMAS},
    ),
    number_as(
        "text-cells-proved-by-a-weight", "German", ("1.024", "12.5", "0.75", "2.310"), 16.584,
        "texts “1.024” and “12.5” in a workbook", "12.5 can only be a decimal point", suffix=".xlsx",
        make=lambda: book(quantities(("1.024", "12.5", "0.75", "2.310"))),
    ),
    number_as(
        "text-cells-proved-by-millions", "Brazilian", ("1.024", "1.102.310", "987"), 1104321,
        "texts “1.024” and “1.102.310”", "two points in one number can only group", suffix=".xlsx",
        make=lambda: book(quantities(("1.024", "1.102.310", "987"))),
    ),
    number_as(
        "true-cells-with-three-places", "Cheese counter", (1.024, 12.5, 2.31), 15.834,
        "true numbers 1.024 in a workbook", "a true number is never a question", suffix=".xlsx",
        make=lambda: book(quantities((1.024, 12.5, 2.31))),
    ),
    number_as("swiss-apostrophe", "Swiss", ("987", "1'024", "12'310"), 14321, "“1'024”",
        "an apostrophe only groups"),
    number_as(
        "swiss-curly-apostrophe", "Swiss", ("987", "1’024", "12’310.50"), 14321.5, "“1’024” with U+2019",
        "the apostrophe of Swiss settings in Windows",
    ),
    number_as(
        "thin-no-break-space", "French", ("987", "1\u202f024", "12\u202f310,50"), 14321.5,
        "“1 024” with U+202F",
        "how French programs group",
    ),
    number_as(
        "no-break-space", "1C", ("987", "1\u00a0024", "12\u00a0310,500"), 14321.5,
        "“1 024” with U+00A0, “12 310,500”",
        "the space groups, so the comma is decimal",
    ),
    number_as("plain-space-groups", "Polish", ("987", "1 024", "12 310"), 14321, "“1 024” with a plain space",
        "it only groups"),
    number_as(
        "point-and-comma", "Brazilian", ("1.024,50", "987,00", "12.310,25"), 14321.75, "“1.024,50”",
        "both marks in one number show their parts",
    ),
    number_as(
        "arabic-digits-and-marks", "Arabic", ("٩٨٧", "١٬٠٢٤", "١٢٬٣١٠٫٥"), 14321.5,
        "“١٢٬٣١٠٫٥” with U+066C and U+066B",
        "Arabic has marks of its own, without any doubt",
    ),
    number_as("persian-digits", "Persian", ("۱۲", "۳۰", "۴۵"), 87, "“۱۲”", "Persian digits are digits"),
    number_as("full-width-numbers", "Japanese POS", ("１２", "３０", "４５"), 87, "“１２”",
        "full-width figures are digits"),
    number_as("true-minus-sign", "LibreOffice", ("12", "−3", "45"), 54, "“−3” with U+2212", "a return"),
    number_as(
        "units-behind-the-number", "Tally", ("12 Nos", "30 Nos", "45 Nos"), 87,
        "“12 Nos”: the unit stands behind",
        "the number, or the row, column and value", also=("refuse", "ask"), about="sales",
        says=("row 2|rows 2|line 2", "sales", "12 Nos"),
    ),
    number_as(
        "null-in-quantity", "SQL export", ("12", "NULL", "45", "30"), 87, "“NULL” as a quantity",
        "not recorded, which is not nothing sold; the row is told", like=8, days=3,
    ),
    number_as(
        "lakh-quantities", "Tally", ("97,640", "1,03,475", "1,14,280", "98,915"), 414310, "“1,03,475”",
        "2-2-3 is Indian grouping and proves that 97,640 is grouped too", case=10, like=10,
        make=lambda: table(quantities(("97,640", "1,03,475", "1,14,280", "98,915"),
            header=("Date", "Branch", "Item", "Qty"))),
    ),
    number_as(
        "lakh-with-paise", "Zoho", ("97,640.00", "1,03,475.50", "98,915.25"), 300030.75, "“1,03,475.50”",
        "grouped and with a decimal point", like=10,
        make=lambda: table(quantities(("97,640.00", "1,03,475.50", "98,915.25"))),
    ),
    number_as(
        "crore", "Tally", ("1,02,35,000", "98,75,250", "9,450"), 20119700, "“1,02,35,000”",
        "crores group on by twos",
        like=10, make=lambda: table(quantities(("1,02,35,000", "98,75,250", "9,450"))),
    ),
    number_as(
        "lakh-text-cells", "Marg ERP", ("97,640", "1,03,475", "875"), 201990,
        "texts “1,03,475” in a workbook",
        "the proof counts in a workbook too", like=10, suffix=".xlsx",
        make=lambda: book(quantities(("97,640", "1,03,475", "875"))),
    ),
    number_as(
        "lakh-devanagari", "Hindi", ("९७,६४०", "१,०३,४७५", "८७५"), 201990, "“१,०३,४७५”",
        "Indian digits, grouped by twos",
        like=10,
    ),
)  # fmt: skip
