"""CSV text that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
from typing import Any


def format_cell(value: Any) -> Any:
    return "" if value is None else escape_formula_text(value) if isinstance(value, str) else value


class EchoWriter:
    """Gives back what a csv writer writes."""

    def write(self, text: str) -> str:
        return text


def format_csv_rows(rows: Any) -> str:
    writer = csv.writer(EchoWriter())
    return "".join(str(writer.writerow(row)) for row in rows)


FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r")


def escape_formula(value: Any) -> Any:
    """A text that a spreadsheet cannot take for a formula.

    >>> escape_formula("=1+1"), escape_formula("P001"), escape_formula(-1)
    ("'=1+1", 'P001', -1)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_PREFIXES) else value


def escape_formula_text(text: str) -> str:
    """
    >>> [escape_formula_text(text) for text in ("=1+1", "-5", "-5+cmd", "A")]
    ["'=1+1", '-5', "'-5+cmd", 'A']
    """
    plain = text.lstrip("-").replace(".", "", 1).isdigit()
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) and not plain else text
