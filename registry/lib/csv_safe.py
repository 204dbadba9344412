"""CSV whose texts no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

FORMULA_PREFIXES = ("=", "+", "-", "@", "\t", "\r", "\n")
PLAIN_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)", re.ASCII)


def escape_formula(value: Any) -> Any:
    r"""The value; a text that a spreadsheet would run as a formula gets a quote in front.

    Spreadsheets in Chinese or Japanese also take the full-width and small forms of = + - @.

    >>> [escape_formula(text) for text in ("＝1+1", "＋1", "－1", "＠SUM(1)", "﹦1", "\n=1", "－")]
    ["'＝1+1", "'＋1", "'－1", "'＠SUM(1)", "'﹦1", "'\n=1", "'－"]
    >>> [escape_formula(text) for text in ("=1+1", "-5", "-5+cmd", "+49", "P001")]
    ["'=1+1", '-5', "'-5+cmd", "'+49", 'P001']
    >>> escape_formula(-1), escape_formula(None)
    (-1, None)
    """
    if not isinstance(value, str) or PLAIN_NUMBER.fullmatch(value):
        return value
    begin = value[:1] if value[:1].isascii() else unicodedata.normalize("NFKC", value[:1])
    return f"'{value}" if begin.startswith(FORMULA_PREFIXES) else value


def format_csv_rows(rows: Iterable[Iterable[Any]]) -> str:
    r"""The rows as CSV text with escaped formulas; None is an empty cell.

    >>> format_csv_rows([["a,b", None, "=1"], [1.5, "-2", ""]])
    '"a,b",,\'=1\r\n1.5,-2,\r\n'
    """
    text = io.StringIO()
    csv.writer(text).writerows([escape_formula(value) for value in row] for row in rows)
    return text.getvalue()
