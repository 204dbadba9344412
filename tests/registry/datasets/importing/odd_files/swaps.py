"""Two writings in one column, offsets of time zones, and day numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    SPAN,
    TWO,
    OddFile,
    book,
    dates,
    named,
    rows,
    table,
    totals,
    units,
)


def swapped(read_by: str, n: int = 90) -> list[Any]:
    """Texts of one order opened in an Excel of the other: days up to 12 become true dates, swapped."""
    days: list[Any] = []
    for day in dates(n, date(2025, 1, 1)):
        if day.day <= 12:
            days.append(datetime(day.year, day.day, day.month))
        else:
            days.append(f"{day:%d/%m/%Y}" if read_by == "us" else f"{day.month}/{day.day}/{day.year}")
    return days


def swapped_csv(write_true: str, write_text: str, n: int = 90) -> list[str]:
    return [
        date(day.year, day.day, day.month).strftime(write_true) if day.day <= 12 else day.strftime(write_text)
        for day in dates(n, date(2025, 1, 1))
    ]


WEEKDAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
FRENCH_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MARCH = date(2025, 3, 1)
YEAR_START = ("2025-01-01", "2025-03-31")
SWAPPED_SAYS = ("day and month|day or month|swapped|two ways|two writings|mixed",)


OFFSET_HEADER = (
    "Name",
    "Financial Status",
    "Created at",
    "Lineitem quantity",
    "Lineitem name",
    "Lineitem sku",
)
OFFSET_MAP = {"map": {"date": "Created at", "product_id": "Lineitem sku", "sales": "Lineitem quantity"}}


def shopify(offset: Callable[[date], str]) -> bytes:
    """Two orders an evening, of one product each."""
    lines = [
        (f"#{1000 + 2 * j + k}", "paid", f"{day} {22 + k}:40:00 {offset(day)}", units(0, j), "Oil", "OIL-2")
        for j, day in enumerate(dates(20))
        for k in (0, 1)
    ]
    return table([OFFSET_HEADER, *lines])


SWAPS = (
    OddFile(
        "swapped-in-us-excel", "dates", 3, 3, "Excel", ".xlsx",
        lambda: book(rows(swapped("us"), header=("Date", "Store", "Product", "Units"))),
        "ask", "texts “13/01/2025”, and true dates none of which has a day over 12",
        "Excel turned 1–12 of each month into true dates with day and month swapped",
        also=("refuse",), about="dates", says=SWAPPED_SAYS, answers={"dmy": totals(n=90)},
        spans={"dmy": YEAR_START},
    ),
    OddFile(
        "swapped-in-german-excel", "dates", 0, 3, "Shopify", ".xlsx", lambda: book(rows(swapped("de"))),
        "ask", "texts “1/13/2025”, and true dates none of which has a day over 12",
        "the same the other way round: American texts in a German Excel",
        also=("refuse",), about="dates", says=SWAPPED_SAYS, answers={"mdy": totals(n=90)},
        spans={"mdy": YEAR_START},
    ),
    OddFile(
        "swapped-by-pandas", "dates", 0, 3, "pandas", ".csv",
        lambda: table(rows(swapped_csv("%Y-%m-%d 00:00:00", "%d/%m/%Y"))),
        "ask", "“2025-02-01 00:00:00” beside “13/01/2025”: no date of the first writing has a day over 12",
        "the swapped workbook saved as text", also=("refuse",), about="dates", says=SWAPPED_SAYS,
        answers={"dmy": totals(n=90)}, spans={"dmy": YEAR_START},
    ),
    OddFile(
        "swapped-in-sheets", "dates", 0, 3, "Google Sheets", ".csv",
        lambda: table(rows(swapped_csv("%-m/%-d/%Y", "%d.%m.%Y")), ";"),
        "ask", "“2/1/2025” beside “13.01.2025”",
        "German texts in an American Sheets: the two writings divide the days",
        also=("refuse",), about="dates", says=SWAPPED_SAYS, answers={"dmy": totals(n=90)},
        spans={"dmy": YEAR_START},
    ),
    OddFile(
        "true-dates-and-honest-texts", "dates", 0, 3, "Excel", ".xlsx",
        lambda: book(rows([f"{d:%d.%m.%Y}" if i % 4 == 3 else datetime(d.year, d.month, d.day)
                           for i, d in enumerate(dates(40))])),
        "read", "every fourth day is a text “27.02.2025”, the others true dates with any day",
        "true dates over the 12th show that nothing was swapped", also=("ask",), about="dates",
        totals=totals(n=40), days=40, span=("2025-02-24", "2025-04-04"),
        spans={"dmy": ("2025-02-24", "2025-04-04")},
    ),
    OddFile(
        "till-changed-its-writing", "dates", 0, 3, "Two tills", ".csv",
        lambda: table(rows([d.isoformat() if i < 20 else f"{d:%d.%m.%Y}" for i, d in enumerate(dates(40))]),
            ";"),
        "read", "20 days “2025-02-24”, then 20 days “16.03.2025”",
        "each writing is clear by itself and they follow each other",
        also=("ask",), about="dates", totals=totals(n=40), days=40, span=("2025-02-24", "2025-04-04"),
        spans={"dmy": ("2025-02-24", "2025-04-04")},
    ),
    OddFile(
        "day-and-month-open", "dates", 0, 3, "Clover", ".csv",
        lambda: table(rows([f"{d:%d/%m/%Y}" for d in dates(12, date(2025, 3, 1))])),
        "ask", "“01/03/2025” … “12/03/2025”", "either twelve days of March or the third of twelve months",
        also=("read",), about="dates", answers={"dmy": totals(n=12)}, totals=totals(n=12), days=12,
        span=("2025-03-01", "2025-03-12"),
        spans={"dmy": ("2025-03-01", "2025-03-12")},
    ),
    OddFile(
        "weekday-in-the-date", "dates", 0, 3, "German till", ".csv",
        lambda: table(rows([f"{WEEKDAYS[d.weekday()]} {d:%d.%m.%Y}" for d in dates(12, MARCH)]), ";"),
        "read", "“Sa 01.03.2025” … “Mi 12.03.2025”", "the weekday proves which number is the day",
        totals=totals(n=12), days=12, span=("2025-03-01", "2025-03-12"),
    ),
    OddFile(
        "american-weekday-in-the-date", "dates", 0, 3, "Clover", ".csv",
        lambda: table(rows([f"{d:%A}, {d:%m/%d/%y}" for d in dates(9, date(2025, 3, 3))])),
        "read", "“Monday, 03/03/25” … “Tuesday, 03/11/25”", "the weekday proves which number is the day",
        totals=totals(n=9), days=9, span=("2025-03-03", "2025-03-11"),
    ),
    OddFile(
        "weekday-beside-the-date", "dates", 0, 3, "French", ".csv",
        lambda: table([("date", "jour de semaine", "store", "product", "sales"),
            *((f"{d:%d/%m/%Y}", FRENCH_DAYS[d.weekday()], "S1", name, units(i, j))
              for j, d in enumerate(dates(12, MARCH)) for i, name in enumerate(TWO))]),
        "read", "“01/03/2025” beside a column “samedi”", "the weekday proves which number is the day",
        totals=totals(n=12), days=12, span=("2025-03-01", "2025-03-12"),
    ),
    OddFile(
        "weekday-that-never-fits", "dates", 0, 3, "Own table", ".csv",
        lambda: table([("date", "delivery", "store", "product", "sales"),
            *((f"{d:%d/%m/%Y}", "Monday", "S1", name, units(i, j))
              for j, d in enumerate(dates(12, MARCH)) for i, name in enumerate(TWO))]),
        "ask", "“01/03/2025” beside the weekday of the delivery, always “Monday”",
        "it is no weekday of the date and proves nothing", about="dates", answers={"dmy": totals(n=12)},
        spans={"dmy": ("2025-03-01", "2025-03-12")},
    ),
    OddFile(
        "shopify-evening-orders", "dates", 11, 11, "Shopify", ".csv", lambda: shopify(lambda day: "-0500"),
        "read", "“2025-02-24 22:40:00 -0500”, two orders an evening",
        "the shop's own day; in UTC it is the next one",
        options=OFFSET_MAP, totals={"OIL-2": 2 * sum(units(0, j) for j in range(20))}, days=20,
        span=("2025-02-24", "2025-03-15"),
    ),
    OddFile(
        "shopify-summer-time", "dates", 0, 11, "Shopify", ".csv",
        lambda: shopify(lambda day: "-0400" if day >= date(2025, 3, 9) else "-0500"),
        "read", "-0500 until 8 March, -0400 from 9 March", "two offsets of one shop: summer time began",
        options=OFFSET_MAP, totals={"OIL-2": 2 * sum(units(0, j) for j in range(20))}, days=20,
        span=("2025-02-24", "2025-03-15"),
    ),
    OddFile(
        "day-numbers-1904", "dates", 18, 18, "Excel for Mac", ".xlsx",
        lambda: book(rows([(d - date(1904, 1, 1)).days for d in dates()],
            header=("Date", "Store", "Product", "Units")), mac=True),
        "read", "a workbook that counts from 1904, day numbers without a format",
        "the workbook says from when it counts",
        totals=totals(), days=10, span=SPAN,
    ),
    OddFile(
        "true-dates-1904", "dates", 0, 18, "Excel for Mac", ".xlsx",
        lambda: book(rows([datetime(d.year, d.month, d.day) for d in dates()]), mac=True),
        "read", "a workbook that counts from 1904, cells shown as dates", "the same days",
        totals=totals(), days=10, span=SPAN,
    ),
    OddFile(
        "day-number-texts-1904", "dates", 0, 18, "Excel for Mac", ".xlsx",
        lambda: book(rows([str((d - date(1904, 1, 1)).days) for d in dates()]), mac=True),
        "read", "day numbers as texts in a workbook that counts from 1904",
        "the workbook says from when it counts",
        also=("ask", "refuse"), about="dates", says=("date",), totals=totals(), days=10, span=SPAN,
    ),
    OddFile(
        "day-numbers-1900", "dates", 0, 18, "Excel", ".xlsx",
        lambda: book(rows([(d - date(1899, 12, 30)).days for d in dates()])),
        "read", "45712 … 45721 without a format", "day numbers of the usual workbook", totals=totals(),
        days=10, span=SPAN,
    ),
    OddFile(
        "day-numbers-with-time", "dates", 0, 18, "LibreOffice", ".xlsx",
        lambda: book(rows([(d - date(1899, 12, 30)).days + 0.75 for d in dates()])),
        "read", "45712.75: a day and 18 hours", "the time belongs to the same day", totals=totals(), days=10,
        span=SPAN,
    ),
    OddFile(
        "day-numbers-in-csv", "dates", 0, 18, "Excel", ".csv",
        lambda: table(rows([(d - date(1899, 12, 30)).days for d in dates()])),
        "read", "45712 … 45721 in a text file",
        "day numbers; a text file cannot say from when it counts, 1900 is usual",
        also=("ask", "refuse"), about="dates", says=("date",), totals=totals(), days=10, span=SPAN,
    ),
    OddFile(
        "datev-day-and-month-only", "dates", 0, 14, "DATEV", ".csv",
        lambda: table(rows([f"{d:%d%m}" for d in dates()],
            header=("Belegdatum", "Filiale", "Artikel", "Menge")), ";"),
        "refuse", "“2402” is 24 February of a year that stands elsewhere", "the year cannot be made up",
        also=("ask",), about="dates", says=("2402|year",),
        options=named(("Belegdatum", "Filiale", "Artikel", "Menge")),
    ),
)  # fmt: skip
