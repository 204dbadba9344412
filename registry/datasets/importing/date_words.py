"""Names of months and weekdays in the languages of the world, from babel's tables."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

# regional tables stand where a country names its months otherwise (Jänner, شباط, جانفي)
LANGUAGES = [
    "en",
    "de",
    "de_AT",
    "fr",
    "fr_CA",
    "es",
    "pt",
    "pt_PT",
    "it",
    "nl",
    "pl",
    "cs",
    "sk",
    "ru",
    "uk",
    "be",
    "bg",
    "sr",
    "sr_Latn",
    "hr",
    "sl",
    "bs",
    "mk",
    "ro",
    "hu",
    "tr",
    "el",
    "ar",
    "ar_SY",
    "ar_DZ",
    "ar_MA",
    "he",
    "fa",
    "th",
    "vi",
    "id",
    "ms",
    "fi",
    "sv",
    "da",
    "nb",
    "is",
    "et",
    "lv",
    "lt",
    "sq",
    "ca",
    "hi",
    "bn",
    "ur",
    "kk",
    "az",
    "ka",
    "hy",
    "ko",
    "ja",
    "zh",
    "zh_Hant",
    "af",
]
MORE_MONTHS = {"de": {"mrz": 3}, "en": {"sept": 9}, "es": {"set": 9, "sept": 9}, "id": {"agt": 8}}
ROMAN_NUMBERS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
ROMAN_MONTHS = {name: number for number, name in enumerate(ROMAN_NUMBERS, start=1)}
MIN_PREFIX = 3  # letters of a name cut short
ACCENTS = re.compile("[\u0300-\u036f]")  # of Latin, Greek and Cyrillic; vowel signs of other scripts stay


@cache
def fold_word(word: str) -> str:
    """A word without case, dots, spaces and accents.

    >>> fold_word("Févr."), fold_word("KASIM"), fold_word("tháng 2")
    ('fevr', 'kasim', 'thang2')
    """
    text = unicodedata.normalize("NFKD", word.casefold()).replace("ı", "i")
    return re.sub(r"[\s.'’]+", "", ACCENTS.sub("", text))


@cache
def month_names() -> dict[str, dict[str, int]]:
    """{language: {folded name: 1 to 12}}."""
    from babel import Locale

    names: dict[str, dict[str, int]] = {}
    for language in LANGUAGES:
        widths = [
            table[width]
            for table in Locale.parse(language).months.values()
            for width in ("wide", "abbreviated")
        ]
        found = {fold_word(name): number for width in widths for number, name in width.items()}
        names[language] = {name: number for name, number in found.items() if not name[:1].isdigit()}
        names[language] |= MORE_MONTHS.get(language, {})
    return names


@cache
def weekday_tables() -> dict[str, dict[str, int]]:
    """{language: {folded name: 0 for Monday to 6}}, long and short."""
    from babel import Locale

    tables: dict[str, dict[str, int]] = {}
    for language in LANGUAGES:
        names = tables.setdefault(language, {})
        for table in Locale.parse(language).days.values():
            for width in ("wide", "abbreviated", "short"):
                for day, name in table.get(width, {}).items():
                    names.setdefault(fold_word(name), day)
    tables["ja"] |= {f"{day}曜": place for place, day in enumerate("月火水木金土日")}
    tables["ko"] |= {f"{day}요일": place for place, day in enumerate("월화수목금토일")}
    return tables


@cache
def weekday_names() -> frozenset[str]:
    """Folded names of weekdays in all languages, long and short."""
    return frozenset(name for table in weekday_tables().values() for name in table)


def share_of_weekdays(words: Sequence[str], days: Sequence[int]) -> float:
    """The share of the words that name the weekday of their day (0 = Monday), in the language that fits best.

    >>> share_of_weekdays(["Mo", "Di", "Do"], [0, 1, 3]), share_of_weekdays(["Mo", "Di"], [2, 3])
    (1.0, 0.0)
    """
    folded = [fold_word(word) for word in words]
    hits = (
        sum(table.get(word, -1) == day for word, day in zip(folded, days, strict=True))
        for table in weekday_tables().values()
    )
    return max(hits, default=0) / max(1, len(folded))


def is_weekday(word: str) -> bool:
    """
    >>> is_weekday("Mo"), is_weekday("星期一"), is_weekday("jeudi"), is_weekday("Tag")
    (True, True, True, False)
    """
    return fold_word(word) in weekday_names()


@cache
def find_meanings(word: str) -> dict[str, int]:
    """{language: month} of every language that knows the word, whole or cut short."""
    if word in ROMAN_MONTHS:
        return dict.fromkeys(LANGUAGES, ROMAN_MONTHS[word])
    folded = fold_word(word)
    exact = {language: names[folded] for language, names in month_names().items() if folded in names}
    if exact or len(folded) < MIN_PREFIX:
        return exact
    meanings = {}
    for language, names in month_names().items():
        months = {number for name, number in names.items() if name.startswith(folded)}
        if len(months) == 1:
            meanings[language] = months.pop()
    return meanings


@cache
def find_month(word: str, languages: frozenset[str] = frozenset(LANGUAGES)) -> int:
    """1 to 12, or 0 for a word that is no month, or another month in another of the languages.

    >>> find_month("März"), find_month("juillet"), find_month("февраля"), find_month("soon")
    (3, 7, 2, 0)
    >>> find_month("lip"), find_month("lip", frozenset({"pl"}))  # July in Poland, June in Croatia
    (0, 7)
    """
    found = {month for language, month in find_meanings(word).items() if language in languages}
    return found.pop() if len(found) == 1 else 0


def find_languages(words: Iterable[str]) -> frozenset[str]:
    """The languages that know most of a column's months."""
    counts = dict.fromkeys(LANGUAGES, 0)
    for word in words:
        for language in find_meanings(word):
            counts[language] += 1
    most = max(counts.values())
    return frozenset(language for language, count in counts.items() if count == most)
