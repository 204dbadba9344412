"""Shards: the series of a scope in parts that fit into memory, each a panel of its own. Pure numpy.

A shard holds series chosen by a hash, so each is an even sample of all. What a part alone cannot tell, such
as on which days a store was open, is found once over the rows of all shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from registry.series.left_out import LeftOutSales
from registry.series.panel import CovariateRole, Panel
from registry.series.panels.rows import Flags, Labels, Runs, SalesRows, iter_runs
from registry.series.panels.trading import BusinessActivity, Days, is_sales_log

NEVER = np.iinfo(np.int32).max


def describe_scope(parts: Iterable[SalesRows]) -> BusinessActivity | None:
    """What all rows of a scope tell together, a series wholly in one part; None when none has sales."""
    facts = _ScopeFacts()
    for rows in parts:
        facts.add_part(rows)
    return facts.build_activity() if facts.records else None


@dataclass
class _ScopeFacts:
    """Sums over rows; `recorded` and `blank` are days of each store, bool [stores, days from `since`]."""

    codes: tuple[Labels, Labels] = field(default_factory=lambda: (Labels(), Labels()))
    records: int = 0
    zeros: int = 0
    series: int = 0  # that have sold
    first_days: int = 0  # sum of the first day of each of these
    first: int = NEVER
    last: int = -NEVER
    since: int = 0
    recorded: Flags = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    blank: Flags = field(default_factory=lambda: np.zeros((0, 0), np.bool_))

    def add_part(self, rows: SalesRows) -> None:
        """Counts the rows of some series."""
        pairs, firsts = [], []
        for runs in iter_runs(rows, self.codes):
            self._count_rows(runs)
            pairs.append(runs.pairs)
            firsts.append(np.minimum.reduceat(np.where(runs.sold, runs.days, NEVER), runs.starts))
        if not pairs:
            return
        found, place = np.unique(np.concatenate(pairs), return_inverse=True)
        first = np.full(len(found), NEVER)
        np.minimum.at(first, place, np.concatenate(firsts))
        first = first[first < NEVER]
        self.series, self.first_days = self.series + len(first), self.first_days + int(first.sum())

    def _count_rows(self, runs: Runs) -> None:
        sold, stores = runs.sold, np.repeat(runs.pairs >> 32, runs.lengths)
        self._make_room(len(self.codes[0].places), int(runs.days.min()), int(runs.days.max()))
        for table, chosen in ((self.recorded, sold), (self.blank, ~sold)):
            table[stores[chosen], runs.days[chosen] - self.since] = True
        if sold.any():
            days = runs.days[sold]
            self.first, self.last = min(self.first, int(days.min())), max(self.last, int(days.max()))
        self.records += int(sold.sum())
        self.zeros += int((runs.sales == 0).sum())

    def _make_room(self, stores: int, first: int, last: int) -> None:
        """Lets the tables hold so many stores and these days."""
        if not self.recorded.size:
            self.since = first
        have, days = self.recorded.shape
        before, after = max(0, self.since - first), max(0, last + 1 - self.since - days)
        if stores > have or before or after:
            wide = ((0, stores - have), (before, after))
            self.recorded, self.blank = (np.pad(table, wide) for table in (self.recorded, self.blank))
            self.since -= before

    def build_activity(self) -> BusinessActivity:
        """The facts as a panel takes them."""
        names = self.codes[0].texts
        listed = self.series * (self.last + 1) - self.first_days
        return BusinessActivity(
            np.datetime64(self.last, "D"),
            self._name_days(self.recorded),
            self._name_days(self.blank),
            first_day=np.datetime64(self.first, "D"),
            stores=sorted(names),
            is_sales_log=is_sales_log(self.records, listed, self.zeros),
        )

    def _name_days(self, table: Flags) -> dict[str, Days]:
        """The days of each store."""
        numbers: list[NDArray[np.int64]] = [np.flatnonzero(row) + self.since for row in table]
        days = (found.astype("datetime64[D]") for found in numbers)
        return dict(zip(self.codes[0].texts, days, strict=True))


@dataclass(frozen=True)
class PanelShards:
    """The series of a scope in parts, each of which can be read as a panel."""

    parts: Sequence[SalesRows]
    roles: dict[str, CovariateRole]
    country: str = ""
    activity: BusinessActivity | None = None  # of all parts; None = there is only one
    left_out: LeftOutSales | None = None

    def __len__(self) -> int:
        return len(self.parts)

    def read_whole(self) -> Panel:
        """The series of all parts in one panel."""
        if len(self.parts) == 1:
            return self.read(0)
        rows = SalesRows(lambda columns: chain.from_iterable(part.read(columns) for part in self.parts))
        return Panel.from_rows(rows, self.roles, self.country, self.activity, self.left_out)

    def read(self, shard: int) -> Panel:
        """The series of one part."""
        return Panel.from_rows(self.parts[shard], self.roles, self.country, self.activity, self.left_out)
