"""Roles of extra columns: known ahead, known for the past only, or fixed per series (static)."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError

ColumnRoles = dict[str, str]
COVARIATE_ROLES = ("known", "past", "static")
CORE_COLUMNS = ("date", "store_id", "product_id", "sales")

# Columns with these words in their name are set by the business or the calendar, so they are known ahead.
KNOWN_AHEAD_PATTERN = re.compile(
    r"(^|_)(on_?)?(promo(tion)?|price|discount|offer|campaign|markdown|open|closed|holidays?|vacation|festival|"
    r"events?|snap|weekday|preis|aktion|rabatt|feiertag|prix|remise|促销|活动|价格|售价|折扣|营业|节假日|节日)(_|\d|$)",
    re.IGNORECASE,
)
CONTROLLABLE_COLUMNS = {"open", "promo", "promotion", "price"}  # known ahead even if they never change
# Columns that name things: a word among many numbers, 春节 beside 11.11, is a name and no mistake.
EVENT_PATTERN = re.compile(
    r"(event|campaign|holiday)s?(_?(name|label|title))?|promo(tion)?_?(name|label|title)|"
    r"(活动|节日|节假日)(名称|活动)?|促销(名称|活动)",
    re.IGNORECASE,
)
NAME_PATTERN = re.compile(r"(^|_)(name|title|description|名称)$", re.IGNORECASE)


def check_roles(file: str, roles: ColumnRoles, columns: list[str]) -> None:
    """Raises SalesFileError when a role is given to a main or missing column."""
    for column, role in roles.items():
        words = {"file": file, "column": column, "role": role, "columns": ", ".join(columns) or "–"}
        if column in CORE_COLUMNS:
            raise SalesFileError(
                _("%(file)s: %(column)s cannot be %(role)s, it is one of the main columns.") % words
            )
        if column not in columns:
            raise SalesFileError(
                _("%(file)s has no column %(column)s to be %(role)s: it has %(columns)s.") % words
            )


def propose_role(column: str, is_fixed: bool, is_word: bool, has_future_values: bool, repeats: bool) -> str:
    """The role that fits a column.

    `is_fixed` says that each series has one value, `has_future_values` that it is filled after the last sale,
    `repeats` that there are more rows than series.
    """
    if is_fixed and is_word and NAME_PATTERN.search(column):
        return "name"  # for people, useless for training
    if is_fixed and column.lower() not in CONTROLLABLE_COLUMNS and repeats:
        return "static"
    return "known" if has_future_values or KNOWN_AHEAD_PATTERN.search(column) else "past"


def is_constant_per_series(values: npt.NDArray[np.generic], series: npt.NDArray[np.int64]) -> bool:
    """Whether each series has a single value.

    >>> is_constant_per_series(np.array([1, 1, 2, 2]), np.array([0, 2]))
    True
    >>> is_constant_per_series(np.array([1, 2]), np.array([0]))
    False
    """
    same = values[1:] == values[:-1]
    if values.dtype.kind == "f":
        same |= np.isnan(values[1:].astype(float)) & np.isnan(values[:-1].astype(float))
    same[series[1:] - 1] = True  # a new series may differ from the one before
    return bool(same.all())
