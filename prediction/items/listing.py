"""The product list: what the address asks for, and the rows that it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from prediction.items.flags import FLAG_CODES
from prediction.items.forecasts import ItemForecast
from registry.lib.request_values import read_text

SORT_KEYS: dict[str, Callable[[ItemForecast], Any]] = {
    "item": lambda item: (item.name or item.code).casefold(),
    "expected": lambda item: item.expected,
    "range": lambda item: (item.high - item.low) / item.expected if item.expected else None,
    "last_year": lambda item: item.change_last_year,
    "before": lambda item: item.change_before,
    "error": lambda item: item.error,
    "flags": lambda item: len(item.flags) or None,
}
DEFAULT_SORT = "-expected"
ASCENDING_FIRST = ("item",)  # every other column begins with its largest value
ANY_FLAG = "any"
COLUMNS = [
    ("item", gettext_noop("Product"), ""),
    ("", gettext_noop("12 weeks and the next 4"), ""),
    ("expected", gettext_noop("Expected"), "num"),
    ("range", gettext_noop("Likely range (80%)"), "num"),
    ("last_year", gettext_noop("vs. last year"), ""),
    ("before", gettext_noop("vs. days before"), ""),
    ("error", gettext_noop("Error in tests"), "num"),
    ("flags", gettext_noop("To check"), ""),
]


@dataclass(frozen=True)
class ItemQuery:
    """Products or stores, words to find, category, flag, and the column to sort by ("-": largest first)."""

    side: str = "products"
    words: str = ""
    category: str = ""
    flag: str = ""
    sort: str = DEFAULT_SORT

    @classmethod
    def from_address(cls, given: QueryDict) -> Self:
        """Whatever makes no sense in the address is left out."""
        sort, flag = read_text(given, "sort"), read_text(given, "flag")
        return cls(
            side="stores" if given.get("show") == "stores" else "products",
            words=read_text(given, "q"),
            category=read_text(given, "category", 200),
            flag=flag if flag in (*FLAG_CODES, ANY_FLAG) else "",
            sort=sort if sort.removeprefix("-") in SORT_KEYS else DEFAULT_SORT,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the side and the order was asked for."""
        return bool(self.words or self.category or self.flag)

    def select(self, items: Iterable[ItemForecast]) -> list[ItemForecast]:
        """The matching rows in the order asked for."""
        words = [word.casefold() for word in self.words.split()]
        return sort_items([item for item in items if self.matches(item, words)], self.sort)

    def matches(self, item: ItemForecast, words: list[str]) -> bool:
        """Whether the row has the category, the flag and all the words."""
        if self.category and item.category != self.category:
            return False
        if self.flag and not (item.flags if self.flag == ANY_FLAG else self.flag in item.flags):
            return False
        text = f"{item.code} {item.name} {item.category}".casefold() if words else ""
        return all(word in text for word in words)

    def next_sort(self, column: str) -> str:
        """What a click on the column sorts by: its usual order, or the other way round."""
        first, other = (f"-{column}", column) if column not in ASCENDING_FIRST else (column, f"-{column}")
        return other if self.sort == first else first

    def list_sorts(self) -> list[tuple[str, str]]:
        """(value, heading) of each usual order, and of the present one if it is another."""
        usual = [
            (name if name in ASCENDING_FIRST else f"-{name}", gettext(label))
            for name, label, _kind in COLUMNS
            if name
        ]
        if self.sort in dict(usual):
            return usual
        labels = {name: label for name, label, _kind in COLUMNS}
        return [*usual, (self.sort, f"{gettext(labels[self.sort.removeprefix('-')])} ↑↓")]

    def direction(self, column: str) -> str:
        """ascending or descending if the rows are sorted by the column."""
        if self.sort.removeprefix("-") != column:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"


def sort_items(items: list[ItemForecast], sort: str) -> list[ItemForecast]:
    """The rows by a column, equal ones by code; those without a value come last either way."""
    key, is_descending = SORT_KEYS[sort.removeprefix("-")], sort.startswith("-")
    ordered = sorted(items, key=lambda item: item.code)
    known = [item for item in ordered if key(item) is not None]
    unknown = [item for item in ordered if key(item) is None]
    return [*sorted(known, key=key, reverse=is_descending), *unknown]


def list_categories(items: Iterable[ItemForecast]) -> list[str]:
    """Every category in the list."""
    return sorted({item.category for item in items if item.category}, key=str.casefold)
