"""Levels: groups of stores or products by a fixed text of the data, such as category, brand or region. Pure.

A forecast of a group is the sum of the same series as any other total, so groups add up to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Side = Literal["stores", "products"]
Keys = Sequence[tuple[str, str]]  # store and product of each series
SIDE_PLACES: dict[Side, int] = {"products": 1, "stores": 0}  # place in a key; products first
Codes = frozenset[str] | None  # stores or products; None = all of them
SeriesCodes = tuple[Codes, Codes]  # stores and products
NOT_GIVEN = ""  # the value of codes without one


@dataclass(frozen=True)
class LevelValue:
    """A group: the column of a level and one of its values, as text "column:value".

    >>> LevelValue.from_text("brand:A:B"), str(LevelValue("a:b", ""))
    (LevelValue(column='brand', value='A:B'), 'a%3Ab:')
    """

    column: str
    value: str

    @classmethod
    def from_text(cls, text: str) -> LevelValue:
        """The group of such a text; a text without a colon is a column alone."""
        column, _colon, value = text.partition(":")
        return cls(column.replace("%3A", ":").replace("%25", "%"), value)

    def __str__(self) -> str:
        return f"{self.column.replace('%', '%25').replace(':', '%3A')}:{self.value}"


@dataclass(frozen=True)
class Level:
    """A column with a fixed text for each store or for each product: {code: value}."""

    column: str
    side: Side
    values: Mapping[str, str]

    @cached_property
    def counts(self) -> dict[str, int]:
        """{value: number of codes}, most codes first."""
        return dict(Counter(self.values.values()).most_common())

    @property
    def is_offered(self) -> bool:
        """Whether it groups: several values, and fewer than codes."""
        return 1 < len(self.counts) < len(self.values)

    def list_codes(self, value: str) -> frozenset[str]:
        """The stores or products of a value."""
        return frozenset(code for code, own in self.values.items() if own == value)

    def group_rows(self, keys: Keys, rows: NDArray[np.intp]) -> dict[str, NDArray[np.intp]]:
        """{value: those of the rows that have it}."""
        place = SIDE_PLACES[self.side]
        return rows_by_code([self.values.get(keys[row][place], NOT_GIVEN) for row in rows.tolist()], rows)


@dataclass(frozen=True)
class Selection:
    """The series to forecast: of a store, of a product, and of every group named. Empty means all of them."""

    store: str = ""
    product: str = ""
    levels: tuple[LevelValue, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it means everything."""
        return not (self.store or self.product or self.levels)

    def list_codes(self, levels: Sequence[Level]) -> SeriesCodes:
        """The stores and the products that are meant; none where the levels do not know a group."""
        found: dict[Side, Codes] = {
            "stores": frozenset([self.store]) if self.store else None,
            "products": frozenset([self.product]) if self.product else None,
        }
        for group in self.levels:
            level = find_level(levels, group.column)
            if level is None:
                return frozenset(), frozenset()
            before, codes = found[level.side], level.list_codes(group.value)
            found[level.side] = codes if before is None else before & codes
        return found["stores"], found["products"]

    def find_rows(self, keys: Keys, levels: Sequence[Level]) -> NDArray[np.intp]:
        """The rows of these series."""
        stores, products = self.list_codes(levels)
        return np.flatnonzero(
            [
                (stores is None or store in stores) and (products is None or product in products)
                for store, product in keys
            ]
        )


def rows_by_code(codes: Sequence[str], rows: NDArray[np.intp] | None = None) -> dict[str, NDArray[np.intp]]:
    """{code: its rows}; `rows` [N] have these codes [N], without them rows are numbered from 0.

    >>> {code: rows.tolist() for code, rows in rows_by_code(["B", "A", "B"]).items()}
    {'B': [0, 2], 'A': [1]}
    """
    groups: dict[str, list[int]] = {}
    for row, code in zip(range(len(codes)) if rows is None else rows.tolist(), codes, strict=True):
        groups.setdefault(code, []).append(row)
    return {code: np.array(found) for code, found in groups.items()}


def find_level(levels: Sequence[Level], column: str) -> Level | None:
    """The level of a column; None if there is none."""
    return next((one for one in levels if one.column == column), None)


def build_levels(keys: Keys, texts: Mapping[str, Sequence[str]]) -> list[Level]:
    """The levels that group something; `texts`: column -> the text of each series [S], empty = not given.

    A column is a level of products if each product has one text in all stores, else of stores likewise.

    >>> keys = [("S", "P1"), ("S", "P2"), ("S", "P3")]
    >>> [(one.column, one.side, one.counts) for one in build_levels(keys, {"brand": ["A", "A", "B"]})]
    [('brand', 'products', {'A': 2, 'B': 1})]
    """
    found = []
    for column, values in texts.items():
        for side in SIDE_PLACES:
            level = build_level(column, side, keys, values)
            if level is not None and level.is_offered:
                found.append(level)
                break
    return found


def build_level(column: str, side: Side, keys: Keys, texts: Sequence[str]) -> Level | None:
    """The level of one side, whatever it groups; None if a code has several texts."""
    place, values = SIDE_PLACES[side], dict[str, str]()
    for key, text in zip(keys, texts, strict=True):
        before = values.setdefault(key[place], text)
        if text and not before:
            values[key[place]] = text
        elif text and text != before:
            return None
    return Level(column, side, values)
