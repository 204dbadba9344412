"""Days in the writings of many countries, tills and calendars."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from tests.registry.datasets.importing.odd_files.building import (
    SPAN,
    START,
    OddFile,
    dates,
    row,
    rows,
    table,
    totals,
)


def day_as(
    name: str,
    origin: str,
    write: Callable[[date], str],
    odd: str,
    why: str,
    *,
    case: int = 0,
    like: int = 13,
    **more: Any,
) -> OddFile:
    """The usual ten days in another writing, in a file with semicolons."""
    fields: dict[str, Any] = {"right": "read", "totals": totals(), "days": 10, "span": SPAN, "kind": "dates"}
    return row(
        more,
        name=name, case=case, like=like, origin=origin, suffix=".csv", odd=odd, why=why,
        make=lambda: table(rows([write(day) for day in dates()], header=("date", "store", "product", "qty")),
            ";"),
        **fields,
    )  # fmt: skip


def month_name(day: date, february: str, march: str) -> str:
    return february if day.month == 2 else march


def digits(value: str, zero: str) -> str:
    """The digits of another script."""
    return "".join(chr(ord(zero) + int(c)) if c in "0123456789" else c for c in value)


def hijri(day: date) -> str:
    """25–29 Sha'ban and 1–5 Ramadan 1446 (Umm al-Qura)."""
    return f"1446/08/{day.day + 1:02}" if day.month == 2 else f"1446/09/{day.day:02}"


ROMAN = ("", "I", "II", "III")
GERMAN_DAYS = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
JAPANESE_DAYS = "月火水木金土日"


WRITINGS = (
    day_as(
        "korean-dots-and-spaces", "Korean", lambda d: f"{d.year}. {d.month}. {d.day}.",
        "“2025. 2. 24.”", "how Korea and Hungary write a day; the year is first, nothing is open", case=13,
    ),
    day_as(
        "japanese-weekday-in-brackets", "Japanese POS",
        lambda d: f"{d:%Y/%m/%d}({JAPANESE_DAYS[d.weekday()]})",
        "“2025/02/24(月)”", "the weekday only repeats the day", case=13,
    ),
    day_as(
        "spanish-month-short", "Spanish", lambda d: f"{d:%d}-{month_name(d, 'feb', 'mar')}-{d.year}",
        "“24-feb-2025”, “01-mar-2025”", "a named month leaves nothing open", case=13,
    ),
    day_as(
        "french-month-with-dot", "French", lambda d: f"{d.day} {month_name(d, 'févr.', 'mars')} {d.year}",
        "“24 févr. 2025”, “1 mars 2025”",
        "short name with an accent and a dot, and a full one, in one column",
    ),
    day_as(
        "french-first-of-month", "French",
        lambda d: f"{'1er' if d.day == 1 else d.day} {month_name(d, 'février', 'mars')} {d.year}",
        "“1er mars 2025” among “2 mars 2025”", "the first of a month is an ordinal in French",
    ),
    day_as(
        "portuguese-month-in-slashes", "Brazilian",
        lambda d: f"{d:%d}/{month_name(d, 'fev', 'mar')}/{d.year}",
        "“24/fev/2025”", "a named month leaves nothing open",
    ),
    day_as(
        "portuguese-de", "Brazilian",
        lambda d: f"{d.day} de {month_name(d, 'fevereiro', 'março')} de {d.year}",
        "“24 de fevereiro de 2025”", "the long form of Spain, Portugal and Brazil",
    ),
    day_as(
        "polish-genitive-month", "Polish", lambda d: f"{d.day} {month_name(d, 'lutego', 'marca')} {d.year}",
        "“24 lutego 2025”", "months stand in the genitive behind a day",
    ),
    day_as(
        "polish-roman-month", "Polish", lambda d: f"{d.day} {ROMAN[d.month]} {d.year}",
        "“24 II 2025”", "Roman months; a reader that does not know them must name row and value",
        also=("refuse",), says=("row 2|line 2|rows 2", "24 II 2025"),
    ),
    day_as(
        "russian-genitive-month", "1C", lambda d: f"{d.day} {month_name(d, 'февраля', 'марта')} {d.year} г.",
        "“24 февраля 2025 г.”", "“г.” is only “year”",
    ),
    day_as(
        "turkish-month", "Turkish", lambda d: f"{d:%d} {month_name(d, 'Şub', 'Mar')} {d.year}",
        "“24 Şub 2025”", "a named month leaves nothing open",
    ),
    day_as(
        "italian-month", "Italian", lambda d: f"{d.day}-{month_name(d, 'feb', 'mar')}-{d:%y}",
        "“24-feb-25”: the year has two figures", "days 24 to 28 stay in one order only if the month is named",
        also=("ask",), about="dates", spans={"dmy": SPAN},
    ),
    day_as(
        "german-month-with-dots", "German", lambda d: f"{d.day}. {month_name(d, 'Feb.', 'März')} {d.year}",
        "“24. Feb. 2025”, “1. März 2025”", "dots behind day and short month",
    ),
    day_as(
        "dutch-month", "Dutch", lambda d: f"{d.day} {month_name(d, 'feb', 'mrt')} {d.year}",
        "“1 mrt 2025”", "“mrt” is March",
    ),
    day_as(
        "czech-genitive-month", "Czech", lambda d: f"{d.day}. {month_name(d, 'února', 'března')} {d.year}",
        "“24. února 2025”", "Czech has its own month names",
    ),
    day_as(
        "chinese-characters", "Chinese ERP", lambda d: f"{d.year}年{d.month}月{d.day}日",
        "“2025年2月24日”", "year, month and day are named",
    ),
    day_as(
        "chinese-characters-weekday", "Chinese ERP",
        lambda d: f"{d.year}年{d.month:02}月{d.day:02}日 星期{'一二三四五六日'[d.weekday()]}",
        "“2025年02月24日 星期一”", "the weekday only repeats the day",
    ),
    day_as(
        "german-weekday-before", "German till", lambda d: f"{GERMAN_DAYS[d.weekday()]}, {d:%d.%m.%Y}",
        "“Mo, 24.02.2025”", "the weekday only repeats the day, and agrees with day before month",
    ),
    day_as(
        "english-weekday-long", "Lightspeed", lambda d: d.strftime("%A, %B %d, %Y"),
        "“Monday, February 24, 2025”", "the comma is part of the date",
    ),
    day_as(
        "english-ordinal", "Zoho",
        lambda d: f"{d.day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(d.day, 'th')} {d:%b %Y}",
        "“24th Feb 2025”, “1st Mar 2025”", "ordinals of a day",
    ),
    day_as(
        "arabic-month-and-digits", "Arabic",
        lambda d: digits(f"{d.day} {month_name(d, 'فبراير', 'مارس')} {d.year}", "٠"),
        "“٢٤ فبراير ٢٠٢٥”", "Arabic digits are digits, the month is named",
    ),
    day_as(
        "arabic-digits-slashes", "Arabic", lambda d: digits(f"{d:%d/%m/%Y}", "٠"),
        "“٢٤/٠٢/٢٠٢٥”", "Arabic digits; days up to 28 show the order",
    ),
    day_as(
        "full-width-digits", "Japanese POS", lambda d: digits(f"{d:%Y/%m/%d}", "０").replace("/", "／"),
        "“２０２５／０２／２４”", "full-width figures and slashes of Japanese tills",
    ),
    day_as(
        "left-to-right-mark", "Windows", lambda d: f"\u200e{d:%d}\u200e/\u200e{d:%m}\u200e/\u200e{d:%Y}",
        "U+200E before each part of “24/02/2025”", "Windows puts marks that nobody sees into copied dates",
    ),
    day_as(
        "no-break-spaces-in-date", "French",
        lambda d: f"{d.day}\u00a0{month_name(d, 'février', 'mars')}\u202f{d.year}",
        "no-break spaces inside “24 février 2025”", "a space that nobody can tell from another",
    ),
    day_as(
        "apostrophe-before-date", "Excel", lambda d: f"'{d.isoformat()}",
        "“'2025-02-24”: Excel's sign for text came along", "the sign is not part of the value",
    ),
    day_as(
        "two-figure-year-dots", "German till", lambda d: f"{d:%d.%m.%y}",
        "“24.02.25”", "dots mean day, month, year, and only so the days follow each other",
        also=("ask",), about="dates", spans={"dmy": SPAN},
    ),
    day_as(
        "six-figures-one-day", "Till journal", lambda d: f"{d:%y%m%d}",
        "“250224”",
        "six figures may be a day, but also a month or a week: these follow each other only as ymd",
        like=5, right="ask", also=("read",), about="dates", answers={"ymd": totals()}, spans={"ymd": SPAN},
    ),
    day_as(
        "shopify-iso-utc", "WooCommerce", lambda d: f"{d.isoformat()}T22:40:00Z",
        "“2025-02-24T22:40:00Z”", "the day as written; the shop's zone is not in the file", like=11,
        also=("ask",),
        about="dates", answers={"UTC": totals()}, spans={"UTC": SPAN},
    ),
    day_as(
        "offset-tokyo", "Japanese POS", lambda d: f"{d.isoformat()}T00:10:00+09:00",
        "“2025-02-24T00:10:00+09:00”", "the shop's own day; in UTC it is the day before", like=11,
    ),
    day_as(
        "offset-india", "Zoho", lambda d: f"{d.isoformat()} 23:40:00 +0530",
        "“2025-02-24 23:40:00 +0530”", "half an hour in the offset", like=11,
    ),
    day_as(
        "offset-with-milliseconds", "Brazilian", lambda d: f"{d.isoformat()}T22:40:00.000-03:00",
        "“2025-02-24T22:40:00.000-03:00”", "milliseconds and an offset", like=11,
    ),
    day_as(
        "zone-name-behind", "Lightspeed", lambda d: f"{d.isoformat()} 22:40:00 CET",
        "“2025-02-24 22:40:00 CET”", "the zone has a name; the day is the shop's own", like=11,
    ),
    day_as(
        "unix-date-line", "Clover", lambda d: d.strftime("%a %b %d 22:40:00 EST %Y"),
        "“Mon Feb 24 22:40:00 EST 2025”", "how Java and Unix print a moment", like=11,
    ),
    day_as(
        "us-afternoon", "Toast", lambda d: f"{d.month}/{d.day}/{d:%y} 10:40 PM",
        "“2/24/25 10:40 PM”", "American order shown by days over 12, with a time", like=11,
        also=("ask",), about="dates", spans={"mdy": SPAN},
    ),
    *(
        day_as(
            name, origin, write, odd, "a calendar of its own: say which, or turn it into the usual days",
            right="refuse", also=("read", "ask"), says=(calendar,), about="dates",
        )
        for name, origin, write, odd, calendar in (
            (
                "thai-buddhist-year", "Thai", lambda d: f"{d:%d/%m}/{d.year + 543}",
                "“24/02/2568”", "Buddhist|Thai",
            ),
            (
                "thai-month-names", "Thai",
                lambda d: f"{d.day} {month_name(d, 'ก.พ.', 'มี.ค.')} {d.year + 543}",
                "“24 ก.พ. 2568”", "Buddhist|Thai",
            ),
            (
                "persian-calendar", "Persian", lambda d: f"1403/12/{6 + (d - START).days:02}",
                "“1403/12/06”", "Persian|Iranian|Jalali|Solar Hijri",
            ),
            (
                "persian-calendar-and-digits", "Persian",
                lambda d: digits(f"1403/12/{6 + (d - START).days:02}", "۰"),
                "“۱۴۰۳/۱۲/۰۶”", "Persian|Iranian|Jalali|Solar Hijri",
            ),
            ("hijri-calendar", "Saudi", hijri, "“1446/08/25”", "Islamic|Hijri"),
            (
                "taiwan-year", "Taiwan POS", lambda d: f"{d.year - 1911}/{d:%m/%d}",
                "“114/02/24”: years of the republic", "Taiwan|Minguo|ROC|republic",
            ),
            (
                "japanese-era", "Japanese POS", lambda d: f"令和{d.year - 2018}年{d.month}月{d.day}日",
                "“令和7年2月24日”", "Japanese|Reiwa|era",
            ),
            (
                "japanese-era-short", "Japanese POS", lambda d: f"R{d.year - 2018}.{d.month}.{d.day}",
                "“R7.2.24”", "Japanese|Reiwa|era|R7.2.24",
            ),
        )
    ),
    day_as(
        "day-without-year", "Square", lambda d: d.strftime("%d %b"),
        "“24 Feb”", "no year anywhere in the file: it cannot be made up", like=14,
        right="refuse", also=("ask",), says=("year|24 Feb",), about="dates",
    ),
)  # fmt: skip
