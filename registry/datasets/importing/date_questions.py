"""The questions about dates that only a person can answer."""

from __future__ import annotations

from django.utils.translation import gettext as _


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


def swapped_date_message(file: str, column: str, texts: tuple[str, str], row_of: dict[str, int]) -> str:
    """The question about dates with a day up to the 12th that a spreadsheet seems to have swapped."""
    words: dict[str, object] = {"file": file, "column": column, "value": texts[0], "other": texts[1]}
    words |= {"row": row_of.get(texts[0].strip(), 0), "other_row": row_of.get(texts[1].strip(), 0)}
    return (
        _(
            "%(file)s, column %(column)s: a spreadsheet seems to have swapped day and month. No date "
            "like “%(value)s” (row %(row)d) has a day after the 12th, every one like “%(other)s” "
            "(row %(other_row)d) has: choose the order of the dates, or “year, month, day” if "
            "“%(value)s” is right."
        )
        % words
    )


def month_or_day_message(words: dict[str, object], month: tuple[int, int], day: str) -> str:
    """The question about six figures that can be a month or a day; `words` tell file, row, column, value."""
    words = {**words, "month": f"{month[0]}-{month[1]:02}", "day": day}
    return (
        _(
            "%(file)s, row %(row)d, column %(column)s: “%(value)s” may be the month %(month)s or the day "
            "%(day)s. Sales of months cannot be imported; if these are days, choose the order of the dates."
        )
        % words
    )
