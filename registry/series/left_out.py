"""Sales that a file has and an import leaves out: days that are unknown, not closed. No Django."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Span = tuple[str, str, int, int]
WEEK = 7
MIN_BLANK_WEEKDAYS = 4  # of one weekday without any sale, which show that the store rests on it


@dataclass(frozen=True)
class LeftOutSales:
    """Spans (store, product, first, last) of days since 1970 of which rows were left out.

    An empty product says only that the store was not closed, an empty store says so of every store.
    """

    spans: tuple[Span, ...] = ()

    @classmethod
    def from_spans(cls, spans: Iterable[Span]) -> LeftOutSales:
        """Joins days that follow each other.

        >>> LeftOutSales.from_spans([("S", "A", 5, 5), ("S", "A", 6, 8), ("S", "B", 6, 6)]).spans
        (('S', 'A', 5, 8), ('S', 'B', 6, 6))
        """
        joined: list[Span] = []
        for store, product, first, last in sorted(set(spans)):
            if joined and joined[-1][:2] == (store, product) and first <= joined[-1][3] + 1:
                joined[-1] = (*joined[-1][:3], max(last, joined[-1][3]))
            elif first <= last:
                joined.append((store, product, first, last))
        return cls(tuple(joined))

    @classmethod
    def from_json(cls, text: str) -> LeftOutSales:
        """What to_json() wrote; nothing for an empty text."""
        if not text:
            return cls()
        found = json.loads(text)
        stores, products = found["stores"], found["products"]
        return cls(tuple((stores[s], products[p], first, last) for s, p, first, last in found["spans"]))

    def to_json(self) -> str:
        """
        >>> LeftOutSales((("S", "A", 5, 8),)).to_json()
        '{"stores": ["S"], "products": ["A"], "spans": [[0, 0, 5, 8]]}'
        """
        stores = {name: place for place, name in enumerate(sorted({span[0] for span in self.spans}))}
        products = {name: place for place, name in enumerate(sorted({span[1] for span in self.spans}))}
        spans = [[stores[s], products[p], first, last] for s, p, first, last in self.spans]
        return json.dumps({"stores": [*stores], "products": [*products], "spans": spans})

    def __or__(self, other: LeftOutSales) -> LeftOutSales:
        return LeftOutSales.from_spans((*self.spans, *other.spans))

    def mark_stores(self, stores: Sequence[str], first: int, width: int) -> Mask:
        """[stores, width] days from `first` on of which a store's rows were left out."""
        marks = np.zeros((len(stores), width), dtype=bool)
        place = {name: row for row, name in enumerate(stores)}
        for store, _product, begin, end in self.spans:
            if not store or store in place:
                row = place[store] if store else slice(None)
                marks[row, max(begin - first, 0) : max(end - first + 1, 0)] = True
        return marks

    def mark_series(self, keys: Sequence[tuple[str, str]], first: int, width: int) -> Mask:
        """[keys, width] days from `first` on of which the rows of a store and product were left out."""
        marks = np.zeros((len(keys), width), dtype=bool)
        place = {key: row for row, key in enumerate(keys)}
        for store, product, begin, end in self.spans:
            if (row := place.get((store, product))) is not None:
                marks[row, max(begin - first, 0) : max(end - first + 1, 0)] = True
        return marks


def drop_rest_days(blank: Mask, traded: Mask, first: int) -> Mask:
    """Blank days [stores, days] without the weekdays on which a store never sells: it rests on them.

    >>> sundays = np.arange(28).reshape(1, 28) % 7 == 3  # day 0 was a Thursday
    >>> bool(drop_rest_days(sundays, ~sundays, 0).any())
    False
    >>> once = np.arange(28).reshape(1, 28) == 10
    >>> int(drop_rest_days(once, ~sundays & ~once, 0).sum())
    1
    """
    weekday = (np.arange(blank.shape[1]) + first) % WEEK
    unknown = blank.copy()
    for day in range(WEEK):
        columns = weekday == day
        rests = ~traded[:, columns].any(axis=1) & (blank[:, columns].sum(axis=1) >= MIN_BLANK_WEEKDAYS)
        unknown[np.ix_(rests, columns)] = False
    return unknown
