"""CSV text that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from typing import Any


def cell(value: Any) -> Any:
    return "" if value is None else disarmed(value) if isinstance(value, str) else value


class Echo:
    """Gives back what a csv writer writes."""

    def write(self, text: str) -> str:
        return text


def written(rows: Any) -> str:
    writer = csv.writer(Echo())
    return "".join(str(writer.writerow(row)) for row in rows)


FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(value: Any) -> Any:
    """A text that a spreadsheet cannot take for a formula.

    >>> guarded("=1+1"), guarded("P001"), guarded(-1)
    ("'=1+1", 'P001', -1)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def disarmed(text: str) -> str:
    """
    >>> disarmed("=1+1"), disarmed("-5"), disarmed("-5+cmd"), disarmed("A")
    ("'=1+1", '-5', "'-5+cmd", 'A')
    """
    plain = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not plain else text
