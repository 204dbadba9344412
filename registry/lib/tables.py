"""A table for people: columns with a kind, rows, a total."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.timezone import is_aware, make_naive


@dataclass(frozen=True)
class Column:
    """A heading and the kind of its values: text, count, units, share or day."""

    name: str
    kind: str = "text"


@dataclass(frozen=True)
class Table:
    """Rows under columns; a `rows` value is str, int, float, bool, date, datetime or None.

    `total` is a row below the others in Excel, apart from sorting and filtering; CSV leaves it out.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    total: Sequence[Any] = ()


def to_cell_value(value: Any) -> Any:
    """The value of a cell: times without a zone, unknown objects as text."""
    if isinstance(value, datetime):
        return make_naive(value) if is_aware(value) else value
    if value is None or isinstance(value, (bool, int, float, date)):
        return value
    return str(value)
