"""Texts of dates taken apart: what is year, month and day for sure, and which numbers are open."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from registry.datasets.importing.date_words import LANGUAGES, find_month, is_weekday

ISO_DATE = re.compile(r"(\d{4})([-/.]?)(\d\d)\2(\d\d)(?:[T ]\d\d:[\d:.]+)?", re.ASCII)
EAST_ASIAN_DATE = re.compile(r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日号號일]?")
TIME = re.compile(
    r"(?:(?<=\d)T|[ ,:]|^) ?(?:(?:上午|下午|오전|오후|午前|午後) ?)?\d{1,2}[:h]\d\d(?::\d\d(?:[.,]\d+)?)?"
    r"(?: ?[ap]\.? ?m\b\.?| ?uhr\b)?"  # the zone follows: the day is the one that the shop wrote
    r"(?-i: ?(?:Z|(?:UTC|GMT)? ?[+-]\d\d?:?(?:\d\d)?|[A-Z]{2,5}|[A-Z][a-z]+/[A-Za-z_]+)(?![A-Za-z]))?"
    r"(?: ?\[[A-Z][A-Za-z_]+/[A-Za-z_]+\])?",
    re.ASCII | re.IGNORECASE,
)
DOTTED_TIME = re.compile(r"(?<=\d{4})[ ,]+\d\d?\.\d\d(?:\.\d\d)?$", re.ASCII)
COMPACT_TIME = re.compile(r"(?<=^\d{8})T?[ ]?\d{4}(?:\d\d)?Z?$", re.ASCII)
WORD = re.compile(r"[^\d\s,;/()\[\]\-]+")
SERIAL_NUMBER = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
# words around a date that say nothing: endings of numbers, "of", "year", "day"
FILLERS = frozenset(
    [
        "st",
        "nd",
        "rd",
        "th",
        "er",
        "re",
        "o",
        "a",
        "e",
        "de",
        "del",
        "di",
        "of",
        "the",
        "den",
        "le",
        "г",
        "р",
        "год",
        "года",
        "року",
        "r",
        "ngày",
        "tháng",
        "thg",
        "năm",
        "วันที่",
        "t",
    ]
)
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))


@dataclass(frozen=True)
class DateText:
    """A date: `writing` "ymd" or "named" has `parts` (year, month, day), "serial" a number of days.

    Every other writing names the separator and the figures of the year; the order of its parts is open.
    """

    writing: str
    parts: tuple[int, int, int]
    has_short_year: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the order of the parts is open."""
        return self.writing not in ("ymd", "named", "serial")


def tidy_text(text: str) -> str:
    """A text with plain digits and spaces, and without characters that nobody sees.

    >>> tidy_text(" '２０２５／０２／２４"), tidy_text("٢٤\u00a0فبراير ٢٠٢٥")
    ('2025/02/24', '24 فبراير 2025')
    """
    if not text.isascii():
        text = "".join(
            str(unicodedata.decimal(letter)) if letter.isdecimal() else letter
            for letter in unicodedata.normalize("NFKC", text).translate(DASHES)
            if unicodedata.category(letter) != "Cf"
        )
    return " ".join(text.split()).lstrip("'’").strip()


def split_date(text: str, languages: frozenset[str] = frozenset(LANGUAGES)) -> DateText | None:
    """The parts of a date; None for a text that is no date.

    >>> split_date("2025. 2. 24.")
    DateText(writing='ymd', parts=(2025, 2, 24), has_short_year=False)
    >>> split_date("Mo, 24.02.25 22:40 Uhr")
    DateText(writing='.', parts=(24, 2, 25), has_short_year=True)
    >>> split_date("Mon Feb 24 22:40:00 EST 2025").parts, split_date("24 de fevereiro de 2025").parts
    ((2025, 2, 24), (2025, 2, 24))
    >>> split_date("KW 9"), split_date("202511").parts, split_date("24FEB2025:22:40:00").parts
    (None, (20, 25, 11), (2025, 2, 24))
    """
    text = text.strip()
    if found := ISO_DATE.fullmatch(text):
        parts = (int(found[1]), int(found[3]), int(found[4]))
        if found[2] or (1900 <= parts[0] < 2200 and parts[1] <= 12):
            return DateText("ymd", parts)
    bare = strip_time(tidy_text(text))
    if bare.isdigit() or SERIAL_NUMBER.fullmatch(bare):
        return split_digits(bare)
    numbers = re.findall(r"\d+", bare)
    if not 2 <= len(numbers) <= 3:
        return None
    words = [word for part in WORD.findall(bare) if (word := part.strip("._:'’"))]
    words = [word for word in words if word.casefold() not in FILLERS]
    if len(numbers) == 3:
        return split_numbers(bare, numbers) if all(map(is_weekday, words)) else None
    return split_named(numbers, words, languages)


def find_weekday(text: str) -> str:
    """The weekday that stands in a date, "" for none.

    >>> find_weekday("Mo, 24.02.2025"), find_weekday("2026/01/01(木)"), find_weekday("24. Feb")
    ('Mo', '木', '')
    """
    words = (part.strip("._:'’") for part in WORD.findall(strip_time(tidy_text(text))))
    return next((word for word in words if word and is_weekday(word)), "")


def strip_time(text: str) -> str:
    """A tidy text without its time, offset and time zone."""
    text = EAST_ASIAN_DATE.sub(r"\1-\2-\3 ", text)
    if ":" in text or "h" in text:
        text = TIME.sub(" ", text, count=1)
    return DOTTED_TIME.sub("", COMPACT_TIME.sub("", text)).strip(" ,")


def split_digits(text: str) -> DateText | None:
    """A date of nothing but figures: 20250224, 24022025, 250224, or a spreadsheet's number of days."""
    if SERIAL_NUMBER.fullmatch(text):
        return DateText("serial", (int(text[:5]), 0, 0))
    if len(text) == 8 and 1900 <= int(text[:4]) < 2200 and int(text[4:6]) <= 12:
        return DateText("ymd", (int(text[:4]), int(text[4:6]), int(text[6:])))
    if len(text) not in (6, 8):
        return None
    return DateText(f"{len(text)}", (int(text[:2]), int(text[2:4]), int(text[4:])), len(text) == 6)


def split_numbers(text: str, numbers: list[str]) -> DateText | None:
    """A date of three numbers with separators."""
    sizes = tuple(map(len, numbers))
    one, two, three = map(int, numbers)
    if sizes[0] == 4 and max(sizes[1:]) <= 2:
        return DateText("ymd", (one, two, three))
    if max(sizes[:2]) > 2 or sizes[2] not in (2, 4):
        return None
    place = text.index(numbers[0]) + sizes[0]
    mark = text[place : text.index(numbers[1], place)].strip() or " "
    return DateText(mark if sizes[2] == 2 else f"{mark}4", (one, two, three), sizes[2] == 2)


def split_named(numbers: list[str], words: list[str], languages: frozenset[str]) -> DateText | None:
    """A date of two numbers and the name of a month, which may stand beside a weekday."""
    first, second = numbers
    year, day = (first, second) if len(first) == 4 else (second, first)
    if len(year) not in (2, 4) or len(day) > 2:
        return None
    month = find_month(" ".join(words), languages) if words else 0
    for place in range(len(words) - 1, -1, -1):
        others = words[:place] + words[place + 1 :]
        month = month or (find_month(words[place], languages) if all(map(is_weekday, others)) else 0)
    if not month:
        return None
    return DateText("named", (int(year) + (2000 if len(year) == 2 else 0), month, int(day)))


def collect_words(texts: list[str]) -> set[str]:
    """The words of dates, which show the language of a column."""
    bare = {" ".join(WORD.findall(strip_time(tidy_text(text)))) for text in texts if not text.isdigit()}
    return {word.strip("._:'’") for words in bare for word in words.split()} - {""}
