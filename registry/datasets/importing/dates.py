"""Dates in texts; the order of day, month and year is proved by the file or asked of the user."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import AmbiguousValue
from registry.datasets.importing.values import CategoricalColumn
from registry.lib.days import day_number

ISO_DATE = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})([T ][\d:.]+Z?)?", re.ASCII)
CHINESE_DATE = re.compile(r"(\d{4})年(\d{1,2})月(\d{1,2})[日号]?", re.ASCII)
NUMERIC_DATE = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d{2})([T ][\d:.]+( ?[AaPp][Mm])?)?", re.ASCII)
DAY_MONTH_NAME = re.compile(r"(\d{1,2})(?:er)?[- .]+([^\W\d_]{3,9})[- .,]+(\d{4}|\d{2})")
MONTH_NAME_FIRST = re.compile(r"([^\W\d_]{3,9})[- .]+(\d{1,2})(?:st|nd|rd|th)?[- .,]+(\d{4})")
WEEKDAY_PREFIX = re.compile(
    r"^(mon?|tue|wed|thu|fri?|sat?|sun|di|mi|do|so|lun|mar|mer|jeu|ven|sam|dim)[a-z]*[.,]*\s+(?=\d)",
    re.IGNORECASE,
)
EXCEL_SERIAL = re.compile(r"(\d{5})(\.\d+)?", re.ASCII)
MONTHS = {  # English, German, French; four letters are looked up before three
    **{name: number for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1)},
    "mär": 3, "mrz": 3, "mai": 5, "okt": 10, "dez": 12,
    "fév": 2, "avr": 4, "juin": 6, "juil": 7, "aoû": 8, "déc": 12,
}  # fmt: skip
EXCEL_EPOCH = day_number(dt.date(1899, 12, 30))
OLDEST_DAY, NEWEST_DAY = dt.date(1900, 1, 1), dt.date(2200, 1, 1)
LOWEST_NUMBER, HIGHEST_NUMBER = day_number(OLDEST_DAY), day_number(NEWEST_DAY)
NO_DAY = np.iinfo(np.int32).min
PROOF_RATIO = 20  # an order that explains this many times more dates than another rules it out

Days = npt.NDArray[np.int32]


def to_day_number(year: int, month: int, day: int) -> int:
    """Days since 1970, or NO_DAY for a day that does not exist or is out of range."""
    try:
        date = dt.date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return NO_DAY
    return day_number(date) if OLDEST_DAY <= date < NEWEST_DAY else NO_DAY


def parse_day(text: str, order: str = "ymd") -> int:
    """Days since 1970, or NO_DAY. A date that begins with a four-digit year needs no order.

    >>> parse_day("2020-02-29"), parse_day("20200229"), parse_day("2020年2月29日"), parse_day("29-Feb-20")
    (18321, 18321, 18321, 18321)
    >>> parse_day("29/02/2020", "dmy"), parse_day("02/29/2020", "mdy"), parse_day("43890", "serial")
    (18321, 18321, 18321)
    >>> parse_day("29. Februar 2020"), parse_day("Sa 29.02.2020", "dmy"), parse_day("Feb 29, 2020")
    (18321, 18321, 18321)
    >>> parse_day("2019-02-29") == parse_day("1/2/2020") == NO_DAY
    True
    """
    if (found := MONTH_NAME_FIRST.fullmatch(text.strip())) and (month := parse_month(found[1])):
        return to_day_number(int(found[3]), month, int(found[2]))
    text = WEEKDAY_PREFIX.sub("", text.strip())
    if found := ISO_DATE.fullmatch(text) or CHINESE_DATE.fullmatch(text):
        numbers = found.groups()
        parts = (numbers[0], numbers[2], numbers[3]) if found.re is ISO_DATE else numbers
        return to_day_number(*(int(part) for part in parts))
    if found := NUMERIC_DATE.fullmatch(text):
        return order_parts(found, order)
    if (found := DAY_MONTH_NAME.fullmatch(text)) and (month := parse_month(found[2])):
        return to_day_number(int(found[3]), month, int(found[1]))
    if order == "serial" and (found := EXCEL_SERIAL.fullmatch(text)):
        return int(found[1]) + EXCEL_EPOCH
    return NO_DAY


def parse_month(name: str) -> int:
    """1 to 12, or 0 for a word that is no month.

    >>> parse_month("März"), parse_month("juillet"), parse_month("Juni"), parse_month("soon")
    (3, 7, 6, 0)
    """
    low = name.lower()
    return MONTHS.get(low[:4]) or MONTHS.get(low[:3]) or 0


def order_parts(found: re.Match[str], order: str) -> int:
    """The day of three numbers; a two-digit year comes first only in the order "ymd"."""
    one, two, three = int(found[1]), int(found[3]), int(found[4])
    if order == "dmy":
        return to_day_number(three, two, one)
    if order == "mdy":
        return to_day_number(three, one, two)
    return to_day_number(one, two, three) if order == "ymd" and len(found[4]) == 2 else NO_DAY


def find_date_order(file: str, column: str, texts: list[str], row_of: dict[str, int] | None = None) -> str:
    """The order that the dates prove; raises AmbiguousValue when several orders are possible.

    >>> find_date_order("f", "date", ["2020-01-02"])
    'ymd'
    >>> find_date_order("f", "date", ["01/02/2020", "13/02/2020"])
    'dmy'
    >>> find_date_order("f", "date", ["45000", "45001", "total"])
    'serial'
    """
    filled = [WEEKDAY_PREFIX.sub("", text.strip()) for text in texts if text.strip()]
    if 2 * sum(bool(EXCEL_SERIAL.fullmatch(text)) for text in filled) > len(filled):
        return "serial"
    parts = [text for text in filled if NUMERIC_DATE.fullmatch(text)]
    if not parts:
        return "ymd"
    short = any(len(text.split()[0]) <= 8 and not re.search(r"\d{4}", text) for text in parts)
    orders = ["dmy", "mdy", "ymd"] if short else ["dmy", "mdy"]
    days = {order: np.array([parse_day(text, order) for text in parts]) for order in orders}
    readable = {order: int((found != NO_DAY).sum()) for order, found in days.items()}
    best = max(orders, key=lambda order: readable[order])
    rivals = [order for order in orders if order != best and not is_ruled_out(days[best], days[order])]
    if not rivals:
        return best
    first = next(text for number, text in enumerate(parts) if len({int(days[o][number]) for o in orders}) > 1)
    raise AmbiguousValue(
        ambiguous_date_message(file, column, first, (row_of or {}).get(first, 0)), "dates", [best, *rivals]
    )


def is_ruled_out(best: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> bool:
    """Whether the other order is disproved or gives the same days."""
    only_best = int(((best != NO_DAY) & (other == NO_DAY)).sum())
    only_other = int(((best == NO_DAY) & (other != NO_DAY)).sum())
    return bool((best == other).all()) or only_best > PROOF_RATIO * only_other


def ambiguous_date_message(file: str, column: str, text: str, row: int) -> str:
    """The question about a date that can be read in two orders."""
    words = {"file": file, "column": column, "value": text, "row": row}
    return (
        _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” may be day/month or "
            "month/day: choose the order of the dates."
        )
        % words
    )


def is_date_type(kind: pa.DataType) -> bool:
    """Whether a column holds dates or timestamps."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def convert_days(column: pa.ChunkedArray) -> Days:
    """[N] days since 1970 of a column of dates or timestamps."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    days = column.cast(pa.date32(), safe=False).cast(pa.int32()).fill_null(NO_DAY).to_numpy()
    return np.where((days >= LOWEST_NUMBER) & (days < HIGHEST_NUMBER), days, NO_DAY).astype(np.int32)


def parse_days(texts: CategoricalColumn, order: str) -> Days:
    """[N] days since 1970, NO_DAY where a cell is not a date."""
    return np.array([parse_day(text, order) for text in texts.values], np.int32)[texts.codes]
