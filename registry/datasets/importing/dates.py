"""Days of a column; the order of day, month and year is proved by the file or asked of the user."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from registry.datasets.importing.calendars import fault_message
from registry.datasets.importing.date_questions import (
    ambiguous_date_message,
    month_or_day_message,
    swapped_date_message,
)
from registry.datasets.importing.date_texts import DateText, collect_words, find_weekday, split_date
from registry.datasets.importing.date_words import LANGUAGES, find_languages, share_of_weekdays
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.lib.days import day_number

EXCEL_EPOCHS = {"1900": day_number(dt.date(1899, 12, 30)), "1904": day_number(dt.date(1904, 1, 1))}
OLDEST_DAY, NEWEST_DAY = dt.date(1900, 1, 1), dt.date(2200, 1, 1)
LOWEST_NUMBER, HIGHEST_NUMBER = day_number(OLDEST_DAY), day_number(NEWEST_DAY)
NO_DAY = np.iinfo(np.int32).min
PROOF_RATIO = 20  # an order that explains this many times more dates than another rules it out
LAST_MONTH, LAST_DAY, LAST_WEEK = 12, 31, 53  # a first or second number above 12 is a day
SIX_FIGURES = re.compile(r"\d{6}", re.ASCII)
MIN_PERIODS = 3  # different texts of six figures that may be months or weeks
WEEKDAY_PROOF, WEEKDAY_DOUBT = 0.95, 0.5  # shares of weekdays that fit
MONDAY_OFFSET = 3  # day number 0 is 1 January 1970, a Thursday

Days = npt.NDArray[np.int32]
ALL_LANGUAGES = frozenset(LANGUAGES)


def to_day_number(year: int, month: int, day: int) -> int:
    """Days since 1970, or NO_DAY for a day that does not exist or is out of range."""
    try:
        date = dt.date(year, month, day)
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
    >>> parse_day("2019-02-29") == parse_day("1/2/2020") == parse_day("202002") == NO_DAY
    True
    """
    found = split_date(text)
    return order_parts(found, order) if found else NO_DAY


def order_parts(date: DateText, order: str, epoch: str = "1900") -> int:
    """The day of a date; `order` counts where the writing leaves it open."""
    one, two, three = date.parts
    if date.writing == "serial":
        return one + EXCEL_EPOCHS[epoch] if order == "serial" else NO_DAY
    if not date.is_open:
        return to_day_number(one, two, three)
    if order == "ymd":
        return to_day_number(2000 + one, two, three) if date.has_short_year else NO_DAY
    if order not in ("dmy", "mdy"):
        return NO_DAY
    year = 2000 + three if date.has_short_year else three
    return to_day_number(year, two, one) if order == "dmy" else to_day_number(year, one, two)


@dataclass(frozen=True)
class DateColumn:
    """The distinct texts of a column, taken apart; texts of one `writing` come from one program."""

    texts: list[str]
    dates: list[DateText | None]
    weekdays: Mapping[str, str] = field(default_factory=dict)  # that stand in or beside the texts

    @classmethod
    def from_texts(cls, texts: list[str], beside: Mapping[str, str] | None = None) -> DateColumn:
        """Reads names of months in the languages that know most of the column's words.

        `beside` are weekdays of another column, {text: weekday}.
        """
        dates = [split_date(text) for text in texts]
        unread = [
            text for text, date in zip(texts, dates, strict=True) if not date or date.writing == "named"
        ]
        languages = find_languages(collect_words(unread)) if unread else ALL_LANGUAGES
        if languages != ALL_LANGUAGES:
            again = {text: split_date(text, languages) for text in unread}
            dates = [again.get(text, date) for text, date in zip(texts, dates, strict=True)]
        is_open = (date is not None and date.is_open for date in dates)
        weekdays = {text: find_weekday(text) for text, is_so in zip(texts, is_open, strict=True) if is_so}
        return cls(texts, dates, weekdays if any(weekdays.values()) else beside or {})

    def group_open(self) -> dict[str, list[tuple[str, DateText]]]:
        """{writing: its texts} of every writing that leaves the order of its parts open."""
        groups: dict[str, list[tuple[str, DateText]]] = {}
        for text, date in zip(self.texts, self.dates, strict=True):
            if date and date.is_open:
                groups.setdefault(date.writing, []).append((text, date))
        return groups

    def find_orders(self) -> dict[str, list[str]]:
        """{writing: its possible orders, the best one first}."""
        return {
            writing: possible_orders(
                [date for _text, date in found], [self.weekdays.get(text, "") for text, _date in found]
            )
            for writing, found in self.group_open().items()
        }

    @property
    def is_serial(self) -> bool:
        """Whether most texts are a spreadsheet's numbers of days."""
        filled = sum(bool(text.strip()) for text in self.texts)
        return 2 * sum(date is not None and date.writing == "serial" for date in self.dates) > filled

    def find_swap(self, orders: dict[str, list[str]]) -> tuple[str, str, str] | None:
        """(text, other text, order) where a spreadsheet took days up to the 12th for months.

        It turned the dates that it could into its own and left the others, in `order`, as they were: so none
        of the first kind has a day after the 12th, and every one of the other kind has.
        """
        known = [
            (text, date.parts)
            for text, date in zip(self.texts, self.dates, strict=True)
            if date and date.writing in ("ymd", "named")
        ]
        if not known or any(day > LAST_MONTH for _text, (_year, _month, day) in known):
            return None
        for writing, found in self.group_open().items():
            days = [date.parts[0 if orders[writing][0] == "dmy" else 1] for _text, date in found]
            if len(orders[writing]) == 1 and orders[writing][0] != "ymd" and min(days) > LAST_MONTH:
                told = next((text for text, (_year, month, day) in known if month != day), known[0][0])
                return told, found[0][0], orders[writing][0]
        return None

    def find_order(self, file: str, column: str, row_of: dict[str, int]) -> str:
        """The order that the dates prove; raises AmbiguousValue when several orders are possible."""
        if self.is_serial:
            return "serial"
        require_days(file, column, self.texts, row_of)
        orders = self.find_orders()
        if swap := self.find_swap(orders):
            text, other, order = swap
            message = swapped_date_message(file, column, (text, other), row_of)
            raise AmbiguousValue(message, "dates", [order, "ymd"])
        groups = self.group_open()
        for writing, (best, *rivals) in orders.items():
            if rivals:
                first = next(
                    text
                    for text, date in groups[writing]
                    if len({order_parts(date, order) for order in (best, *rivals)}) > 1
                )
                message = ambiguous_date_message(file, column, first, row_of.get(first.strip(), 0))
                raise AmbiguousValue(message, "dates", [best, *rivals])
        return orders[max(orders, key=lambda writing: len(groups[writing]))][0] if orders else "ymd"

    def to_days(self, order: str, epoch: str = "1900") -> list[int]:
        """The day of each text, NO_DAY for no date: in the order that its writing proves, else in `order`.

        With the order of the texts that a spreadsheet left alone, days and months that it swapped are
        swapped back.
        """
        orders = self.find_orders()
        proved = {writing: found[0] for writing, found in orders.items() if len(found) == 1}
        swap = self.find_swap(orders)
        is_swapped = swap is not None and swap[2] == order
        days = []
        for date in self.dates:
            if date is None:
                days.append(NO_DAY)
            elif is_swapped and not date.is_open:
                year, month, day = date.parts
                days.append(to_day_number(year, day, month))
            else:
                days.append(order_parts(date, proved.get(date.writing, order), epoch))
        return days


def possible_orders(dates: list[DateText], weekdays: Sequence[str] = ()) -> list[str]:
    """The orders that dates of one writing can have, the best first, without those that few allow.

    The weekdays that stand with the dates prove an order that fits them.
    """
    candidates = ["dmy", "mdy", "ymd"] if dates[0].has_short_year else ["dmy", "mdy"]
    days = {order: np.array([order_parts(date, order) for date in dates]) for order in candidates}
    if proved := prove_by_weekdays(days, weekdays):
        return [proved]
    readable = {order: int((found != NO_DAY).sum()) for order, found in days.items()}
    best = max(candidates, key=lambda order: readable[order])
    others = [order for order in candidates if order != best and not is_ruled_out(days[best], days[order])]
    return [best, *others]


def prove_by_weekdays(days: Mapping[str, npt.NDArray[np.int64]], weekdays: Sequence[str]) -> str:
    """The only order whose days have the weekdays beside them; "" when there is none."""
    told = [place for place, word in enumerate(weekdays) if word.strip()]
    if not told:
        return ""
    words = [weekdays[place] for place in told]
    shares = {
        order: share_of_weekdays(words, ((found[told] + MONDAY_OFFSET) % 7).tolist())
        for order, found in days.items()
    }
    best, second = sorted(shares, key=lambda order: shares[order], reverse=True)[:2]
    return best if shares[best] >= WEEKDAY_PROOF and shares[second] <= 1 - WEEKDAY_DOUBT else ""


def require_days(file: str, column: str, texts: list[str], row_of: Mapping[str, int]) -> None:
    """Raises SalesFileError for six figures that are months or weeks, such as 201201 and 201252.

    Raises AmbiguousValue where they may be days as well.
    """
    found = [text for text in texts if SIX_FIGURES.fullmatch(text.strip())]
    parts = [(int(text.strip()[:4]), int(text.strip()[4:])) for text in found]
    filled = sum(bool(text.strip()) for text in texts)
    if len(found) < MIN_PERIODS or 2 * len(found) < filled:
        return
    highest = max(number for _year, number in parts)
    if not all(1900 <= year < 2100 and 1 <= number <= LAST_WEEK for year, number in parts):
        return
    is_month = highest <= LAST_MONTH
    if not is_month and highest <= LAST_DAY:
        return
    words: dict[str, object] = {"file": file, "column": column or found[0], "value": found[0]}
    words |= {"row": row_of.get(found[0].strip(), 1)}
    readable = [
        order for order in ("ymd", "dmy", "mdy") if all(parse_day(text, order) != NO_DAY for text in found)
    ]
    if not is_month or not readable:
        raise SalesFileError(fault_message("month" if is_month else "week") % words)
    day = str(np.datetime64(parse_day(found[0], readable[0]), "D"))
    raise AmbiguousValue(month_or_day_message(words, parts[0], day), "dates", readable)


def find_date_order(file: str, column: str, texts: list[str], row_of: dict[str, int] | None = None) -> str:
    """The order that the dates prove; raises AmbiguousValue when several orders are possible.

    >>> find_date_order("f", "date", ["2020-01-02"])
    'ymd'
    >>> find_date_order("f", "date", ["01/02/2020", "13/02/2020"])
    'dmy'
    >>> find_date_order("f", "date", ["45000", "45001", "total"])
    'serial'
    """
    return DateColumn.from_texts(texts).find_order(file, column, row_of or {})


def is_ruled_out(best: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> bool:
    """Whether the other order is disproved or gives the same days."""
    only_best = int(((best != NO_DAY) & (other == NO_DAY)).sum())
    only_other = int(((best == NO_DAY) & (other != NO_DAY)).sum())
    return bool((best == other).all()) or only_best > PROOF_RATIO * only_other


def is_date_type(kind: pa.DataType) -> bool:
    """Whether a column holds dates or timestamps."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def convert_days(column: pa.ChunkedArray) -> Days:
    """[N] days since 1970 of a column of dates or timestamps."""
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    days = column.cast(pa.date32(), safe=False).cast(pa.int32()).fill_null(NO_DAY).to_numpy()
    return np.where((days >= LOWEST_NUMBER) & (days < HIGHEST_NUMBER), days, NO_DAY).astype(np.int32)
