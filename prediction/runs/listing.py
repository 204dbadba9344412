"""The table of a run: which series the address asks for, in which order, and the sum of any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from django.http import QueryDict

from prediction.runs.frozen import load_sums, read_paths
from prediction.runs.models import ForecastRun
from prediction.runs.week_sums import WEEK, WeekSums
from registry.datasets.levels import read_levels
from registry.datasets.names import load_names
from registry.lib.request_values import clean_text, read_id, read_text
from registry.lib.small_cache import SmallCache
from registry.series.levels import Level, LevelValue, find_level
from registry.series.paths import Rows, read_quantiles
from registry.series.prediction import ENDS_80

SORTS = ("units", "change", "item")
DEFAULT_SORT = "-units"
MAX_GROUPS, MAX_GROUP = 8, 300
MAX_REDRAWN = 150  # series whose paths a page draws again for days that are no whole weeks


@dataclass(frozen=True)
class SeriesQuery:
    """Words to find, a store, groups, the days from `first` to `last` (from 1), and the order."""

    words: str = ""
    store: str = ""
    groups: tuple[LevelValue, ...] = ()
    first: int = 1
    last: int = 28
    sort: str = DEFAULT_SORT

    @classmethod
    def from_address(cls, given: QueryDict, horizon: int) -> Self:
        """Whatever makes no sense in the address is left out."""
        sort = read_text(given, "sort")
        first, last = (read_id(given.get(name)) for name in ("from", "to"))
        last = min(horizon, last or horizon) or horizon
        texts = [clean_text(text, MAX_GROUP) for text in given.getlist("level")[:MAX_GROUPS]]
        return cls(
            words=read_text(given, "q"),
            store=read_text(given, "store"),
            groups=tuple(LevelValue.from_text(text) for text in texts if text),
            first=min(max(1, first or 1), last),
            last=last,
            sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether anything but the order and the days was asked for."""
        return bool(self.words or self.store or self.groups)

    @property
    def is_of_weeks(self) -> bool:
        """Whether the days are the first whole weeks, whose paths are stored."""
        return self.first == 1 and self.last % WEEK == 0

    def next_sort(self, column: str) -> str:
        """What a click on the column sorts by: the largest first, then the other way round."""
        first = column if column == "item" else f"-{column}"
        other = f"-{column}" if column == "item" else column
        return other if self.sort == first else first


@dataclass(frozen=True)
class RunTable:
    """The series of a run with their names; kept in memory by process."""

    sums: WeekSums
    texts: list[str]  # what words are found in
    labels: list[tuple[str, str]]  # store and product with their names
    levels: tuple[Level, ...]
    horizon: int

    def find(self, query: SeriesQuery) -> Rows:
        """The rows asked for, in the order asked for."""
        found = np.ones(len(self.texts), bool)
        if query.store:
            found &= np.array([store == query.store for store in self.sums.stores])
        for group in query.groups:
            found &= self._match_group(group)
        rows = np.flatnonzero(found)
        if words := query.words.casefold().split():
            keep = [all(word in self.texts[row] for word in words) for row in rows.tolist()]
            rows = rows[np.array(keep, bool)]
        return self._sort(rows, query)

    def units(self, query: SeriesQuery, rows: Rows) -> np.ndarray[Any, Any]:
        """Units expected of each row on the days asked for."""
        found: np.ndarray[Any, Any] = self.sums.mean[rows, query.first - 1 : query.last].sum(axis=1)
        return found

    def model_units(self, query: SeriesQuery, rows: Rows) -> np.ndarray[Any, Any] | None:
        """The same before people changed the forecast; None for a run without overrides."""
        if self.sums.model is None:
            return None
        found: np.ndarray[Any, Any] = self.sums.model[rows, query.first - 1 : query.last].sum(axis=1)
        return found

    def change(self, rows: Rows) -> np.ndarray[Any, Any]:
        """How much more each row is expected to sell in the whole horizon than in as many days before."""
        before = self.sums.before[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(before > 0, self.sums.mean[rows].sum(axis=1) / before - 1, np.nan)

    def ranges(self, run: ForecastRun, query: SeriesQuery, rows: Rows) -> list[tuple[float, float] | None]:
        """The 80% range of each row on the days asked for."""
        if query.is_of_weeks:
            ends = self.sums.ranges[rows, query.last // WEEK - 1]
        elif query.first == 1 and query.last == self.horizon:
            ends = self.sums.ranges[rows, -1]
        elif len(rows):
            drawn = read_paths(run, rows, range(query.first - 1, query.last)).sum(axis=2)
            ends = read_quantiles(drawn.T, self.sums.is_count, ENDS_80)
        else:
            return []
        means = self.units(query, rows)
        return [(min(low, mean), max(high, mean)) for (low, high), mean in
                zip(ends.tolist(), means.tolist(), strict=True)]  # fmt: skip

    def total(
        self, run: ForecastRun, query: SeriesQuery, rows: Rows
    ) -> tuple[float, tuple[float, float] | None]:
        """Units of all rows on the days asked for with their 80% range; None where it is not drawn."""
        if not len(rows):
            return 0.0, None
        is_whole = query.first == 1 and query.last == self.horizon
        if query.is_of_weeks or is_whole:
            expected, low, high = self.sums.sum_range(rows, -(-query.last // WEEK))
            return expected, (low, high)
        expected = float(self.units(query, rows).sum(dtype=np.float64))
        if len(rows) > MAX_REDRAWN:
            return expected, None
        drawn = read_paths(run, rows, range(query.first - 1, query.last)).sum(axis=(1, 2))
        low, high = read_quantiles(drawn, self.sums.is_count, ENDS_80).tolist()
        return expected, (min(expected, low), max(expected, high))

    def _match_group(self, group: LevelValue) -> np.ndarray[Any, Any]:
        level = find_level(self.levels, group.column)
        if level is None:
            return np.zeros(len(self.texts), bool)
        codes = self.sums.stores if level.side == "stores" else self.sums.products
        return np.array([level.values.get(code, "") == group.value for code in codes])

    def _sort(self, rows: Rows, query: SeriesQuery) -> Rows:
        """Equal ones in order of store and product; those without a value last."""
        column, is_descending = query.sort.removeprefix("-"), query.sort.startswith("-")
        if column == "item":
            return rows[::-1] if is_descending else rows
        values = self.units(query, rows) if column == "units" else self.change(rows)
        order = np.argsort(-values if is_descending else values, kind="stable")  # NaN comes last
        return rows[order]


TABLE_CACHE: SmallCache[RunTable] = SmallCache(3)


def load_table(run: ForecastRun) -> RunTable:
    """The series of a done run; raises CorruptArtifact."""
    return TABLE_CACHE.get((run.pk, run.sha256), lambda: build_table(run))


def build_table(run: ForecastRun) -> RunTable:
    """The same, read from the file."""
    sums, names = load_sums(run.sums), load_names(run.dataset_version)
    pairs = list(zip(sums.stores, sums.products, strict=True))
    labels = [(names.format_store(store), names.format_product(product)) for store, product in pairs]
    texts = [f"{store} {product}".casefold() for store, product in labels]
    return RunTable(sums, texts, labels, read_levels(run.dataset_version), run.horizon)


def list_spans(horizon: int) -> list[int]:
    """The days ahead that a click sums up.

    >>> list_spans(28), list_spans(10)
    ([7, 14, 28], [7, 10])
    """
    return [days for days in (7, 14, 28) if days < horizon] + [horizon]


def list_values(levels: Sequence[Level], chosen: Sequence[LevelValue]) -> list[dict[str, Any]]:
    """The filters: column, and (group, value, whether it is chosen) of each choice."""
    known = {str(group) for group in chosen}
    return [
        {
            "column": level.column,
            "choices": [
                (str(group := LevelValue(level.column, value)), value, str(group) in known)
                for value in sorted(level.counts, key=str.casefold)
            ],
        }
        for level in levels
        if len(level.counts) <= 200
    ]
