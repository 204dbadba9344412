"""Why the texts of a column are no days: weeks, months, dates without a year, other calendars."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext as _

from registry.datasets.importing.date_texts import WORD, strip_time, tidy_text
from registry.datasets.importing.date_words import find_meanings
from registry.datasets.importing.errors import SalesFileError

WEEK_WORDS = (
    r"w|wk|wks|week|weeks|cw|kw|kalenderwoche|woche|sem|semaine|semana|settimana|sett|s|v|vecka|u|uke|uge|vk|viikko|"
    r"t|týden|tyden|tydzień|tydz|hét|неделя|нед|тиждень|hafta|hf|周|週|第|주|주차|สัปดาห์|"
    r"tuần|minggu|أسبوع|εβδομάδα"
)
NUMBERED = (
    r"(?:\d{4}|\d{2})?[ /.年년_-]*(?:%s)[ ._-]*\d{1,2}(?:[ /.]*(?:周|週|주|주차|月|季度))?"
    r"(?:[ /._-]+\d{2,4})?"
)
WEEK = re.compile(
    NUMBERED % WEEK_WORDS + rf"|\d{{1,2}}[ .]*(?:{WEEK_WORDS}|th week)(?:[ /._-]+\d{{2,4}})?", re.IGNORECASE
)
QUARTER = re.compile(
    r"(?:\d{4}|\d{2})?[ /._-]*(?:q|qtr|quarter|trim|trimestre|quartal|кв|квартал)[ ._-]*[1-4]"
    r"(?:[ /._'-]+\d{2,4})?"
    r"|[1-4][ .]*(?:q|qtr|quarter|trim|trimestre|quartal|кв|квартал|분기)\.?[ /._'-]*(?:\d{2,4})?"
    r"|(?:\d{4}年?)? ?第?[1-4一二三四] ?(?:季度|四半期|분기|季)",
    re.IGNORECASE,
)
PERIOD = re.compile(
    r"(?:p|per|period|periode|período|период)[ ._-]*\d{1,2}(?:[ /._-]*(?:fy)?[ ._-]*\d{2,4})?", re.I
)
MONTH_NUMBERS = re.compile(
    r"(?:19|20)\d\d[-/. ]?(?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[-/. ](?:19|20)\d\d"
    r"|(?:(?:19|20)\d\d ?[年년] ?)?(?:0?[1-9]|1[0-2]) ?[月월]",
    re.ASCII,
)
WEEK_NUMBERS = re.compile(
    r"(?:19|20)\d\d[-/. ]?(?:0?[1-9]|[1-4]\d|5[0-3])|(?:0?[1-9]|[1-4]\d|5[0-3])[-/.](?:19|20)\d\d"
)
DAY_AND_MONTH = re.compile(r"\d{1,2}[-/. ]\d{1,2}\.?|\d{1,2} ?[月월] ?\d{1,2} ?[日号일]?", re.ASCII)
ERA = re.compile(r"(?:令和|平成|昭和|大正|[RHS])[ .]?(?:\d{1,2}|元)[年./-]\d{1,2}[月./-]\d{1,2}日?")
REPUBLIC = re.compile(r"(?:民國|民国)? ?(1[0-3]\d)[年/.-] ?\d{1,2}[月/.-] ?\d{1,2}日?")
YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
EIGHT_FIGURES = re.compile(r"(\d{4})(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])", re.ASCII)
# years that only another calendar can mean today; its first and last year
CALENDAR_YEARS = {
    "persian": (1350, 1419),
    "islamic": (1420, 1480),
    "buddhist": (2480, 2620),
    "hebrew": (5700, 5860),
}
MIN_SHARE = 0.5  # of the texts, which have the same fault


def name_fault(text: str) -> str:
    """What a text is instead of a day; "" when nobody knows.

    >>> [name_fault(text) for text in ("KW 9", "2025-W09", "第9周", "202511", "Январь 2025")]
    ['week', 'week', 'week', 'month', 'month']
    >>> [name_fault(text) for text in ("2024 Q1", "P01 FY25", "1403/12/06", "1446/08/25")]
    ['quarter', 'period', 'persian', 'islamic']
    >>> [name_fault(text) for text in ("24/02/2568", "114/02/24", "令和7年2月24日")]
    ['buddhist', 'taiwanese', 'japanese']
    >>> name_fault("24 Feb"), name_fault("24.02."), name_fault("Tag 1")
    ('no-year', 'no-year', '')
    """
    bare = strip_time(tidy_text(text))
    if QUARTER.fullmatch(bare):
        return "quarter"
    for pattern, fault in (
        (WEEK, "week"),
        (PERIOD, "period"),
        (MONTH_NUMBERS, "month"),
        (WEEK_NUMBERS, "week"),
    ):
        if pattern.fullmatch(bare):
            return fault
    for pattern, fault in ((ERA, "japanese"), (REPUBLIC, "taiwanese")):
        if pattern.fullmatch(tidy_text(text)):
            return fault
    return name_calendar(bare) or name_month(bare)


def name_calendar(text: str) -> str:
    """The calendar that a date's year belongs to, "" for the usual one."""
    found = EIGHT_FIGURES.fullmatch(text)
    years = [found[1]] if found else YEAR.findall(text)
    if len(years) != 1 or (not found and len(re.findall(r"\d+", text)) < 2):
        return ""
    year = int(years[0])
    return next((name for name, (first, last) in CALENDAR_YEARS.items() if first <= year <= last), "")


def name_month(text: str) -> str:
    """Whether a month's name stands with a year, or with a day and no year."""
    words = [
        word
        for part in WORD.findall(text)
        if (word := part.strip("._:'’")) and word not in ("г", "de", "del")
    ]
    numbers = re.findall(r"\d+", text)
    if len(words) == 1 and len(numbers) <= 1 and find_meanings(words[0]):
        if not numbers or len(numbers[0]) == 4:
            return "month"
        return "no-year" if text[:1].isdigit() else "month-or-day"
    return "no-year" if DAY_AND_MONTH.fullmatch(text) else ""


def find_common_fault(texts: Iterable[str]) -> tuple[str, str]:
    """(fault, first text with it) of most texts; ("", "") when days can be read or nobody knows why not."""
    filled = [text for text in texts if text.strip()]
    faults = {text: name_fault(text) for text in filled}
    months = {text for text, fault in faults.items() if fault == "month-or-day"}
    # Jan 25, Feb 25 are months of one year; Feb 24, Feb 25 are days
    numbers = {re.sub(r"\D", "", text) for text in months}
    for text in months:
        faults[text] = "month" if len(numbers) <= max(1, len(months) / 6) else "no-year"
    counts = Counter(fault for fault in faults.values() if fault)
    if "week" in counts and "month" in counts:  # 202501 … 202512 are weeks where 202513 follows
        faults = {text: "week" if fault == "month" else fault for text, fault in faults.items()}
        counts = Counter(fault for fault in faults.values() if fault)
    if not counts or sum(counts.values()) <= MIN_SHARE * len(filled):
        return "", ""
    most = counts.most_common(1)[0][0]
    return most, next(text for text in filled if faults[text] == most)


def refuse_undated(file: str, column: str, texts: list[str], row_of: dict[str, int] | None = None) -> None:
    """Raises SalesFileError when most of the texts are weeks, months or dates of another calendar."""
    fault, text = find_common_fault(texts)
    if fault:
        words = {"file": file, "column": column or text, "value": text}
        raise SalesFileError(fault_message(fault) % {**words, "row": (row_of or {}).get(text.strip(), 1)})


def fault_message(fault: str) -> str:
    """The sentence for a fault, with places for file, row, column and value."""
    kinds = {
        "week": _("a week"), "month": _("a month"), "quarter": _("a quarter"),
        "period": _("a period (month or week)"),
    }  # fmt: skip
    calendars = {
        "persian": _("Persian"), "islamic": _("Islamic"), "buddhist": _("Buddhist"), "hebrew": _("Hebrew"),
        "taiwanese": _("Taiwanese"), "japanese": _("Japanese"),
    }  # fmt: skip
    if fault == "no-year":
        return _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” has no year; export dates as YYYY-MM-DD."
        )
    if fault in kinds:
        sentence = _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” is %(kind)s, not a day; export the "
            "sales of each day."
        )
        return fill_kind(sentence, kinds[fault])
    sentence = _(
        "%(file)s, row %(row)d, column %(column)s: “%(value)s” is a date of the %(kind)s calendar; "
        "export dates as YYYY-MM-DD."
    )
    return fill_kind(sentence, calendars[fault])


def fill_kind(sentence: str, kind: str) -> str:
    """The sentence with the kind in its place; the other places stay."""
    return sentence.replace("%(kind)s", kind)
