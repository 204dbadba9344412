"""The product list: what the address asks for, and the rows that it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict
from django.utils.translation import gettext, gettext_noop

from prediction.items.flags import FLAG_CODES
from prediction.items.forecasts import LEVEL_PREFIX, ItemForecast
from registry.lib.request_values import clean_text, read_text
from registry.series.levels import SIDE_PLACES, LevelValue

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
WITHIN_PREFIX, MAX_FIELDS = "in:", 50  # of a field of the address; fields that are read
MAX_CHOICES = 60  # values of a level that a select offers
MAX_GROUP, MAX_GROUPS = 300, 8  # characters of a group in an address, and groups of one
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
    """What to list, words to find, groups, flag, and the column to sort by ("-": largest first).

    `side`: products, stores, or "level:column" for the groups of a level.
    """

    side: str = "products"
    words: str = ""
    groups: tuple[LevelValue, ...] = ()
    within: tuple[LevelValue, ...] = ()  # columns and a part of their value
    flag: str = ""
    sort: str = DEFAULT_SORT

    @classmethod
    def from_address(cls, given: QueryDict) -> Self:
        """Whatever makes no sense in the address is left out."""
        sort, flag = read_text(given, "sort"), read_text(given, "flag")
        show = read_text(given, "show", MAX_GROUP)
        texts = [clean_text(text, MAX_GROUP) for text in given.getlist("level")]
        return cls(
            side=show if show in SIDE_PLACES or show.startswith(LEVEL_PREFIX) else "products",
            words=read_text(given, "q"),
            groups=tuple(LevelValue.from_text(text) for text in texts[:MAX_GROUPS] if text),
            within=tuple(
                LevelValue(name.removeprefix(WITHIN_PREFIX), text)
                for name in list(given)[:MAX_FIELDS]
                if name.startswith(WITHIN_PREFIX) and (text := read_text(given, name))
            ),
            flag=flag if flag in (*FLAG_CODES, ANY_FLAG) else "",
            sort=sort if sort.removeprefix("-") in SORT_KEYS else DEFAULT_SORT,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the side and the order was asked for."""
        return bool(self.words or self.groups or self.within or self.flag)

    def select(self, items: Iterable[ItemForecast]) -> list[ItemForecast]:
        """The matching rows in the order asked for."""
        words = [word.casefold() for word in self.words.split()]
        return sort_items([item for item in items if self.matches(item, words)], self.sort)

    def matches(self, item: ItemForecast, words: list[str]) -> bool:
        """Whether the row is of the groups and has the flag and all the words."""
        if any(item.levels.get(group.column) != group.value for group in self.groups):
            return False
        own = {column: value.casefold() for column, value in item.levels.items()} if self.within else {}
        if any(part.value.casefold() not in own.get(part.column, "") for part in self.within):
            return False
        if self.flag and not (item.flags if self.flag == ANY_FLAG else self.flag in item.flags):
            return False
        parts = (item.code, item.name, item.category, *item.levels.values()) if words else ()
        text = " ".join(parts).casefold()
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
        label = gettext(labels[self.sort.removeprefix("-")])
        return [*usual, (self.sort, f"{label} ↑↓")]

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


@dataclass(frozen=True)
class LevelFilter:
    """A level by which the list can be filtered: its column, and (group, value) of each choice.

    `chosen`: a group. A level with many values has no choices, but a field `name` for a part of the value.
    """

    column: str
    name: str
    chosen: str
    choices: list[tuple[str, str]]


def list_filters(items: Iterable[ItemForecast], query: ItemQuery) -> list[LevelFilter]:
    """The filters of the rows, those with few values first."""
    values: dict[str, set[str]] = {}
    for item in items:
        for column, value in item.levels.items():
            values.setdefault(column, set()).add(value)
    chosen = {group.column: str(group) for group in query.groups}
    typed = {part.column: part.value for part in query.within}
    found = []
    for column, known in sorted(values.items(), key=lambda pair: len(pair[1]) > MAX_CHOICES):
        shown = sorted(known, key=str.casefold) if len(known) <= MAX_CHOICES else []
        choices = [(str(LevelValue(column, value)), value) for value in shown]
        own = chosen.get(column, "") if choices else typed.get(column, "")
        found.append(LevelFilter(column, f"{WITHIN_PREFIX}{column}", own, choices))
    return found
