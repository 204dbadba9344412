"""What is known of sales without reading their rows: figures of each series, and of each store on each day.

They add up over buckets of series, and a change of few rows changes them by what it takes away and adds.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.facts.day_totals import DayTotals, make_totals
from registry.datasets.importing.facts.series_facts import (
    LEAST,
    MOST,
    NAMES,
    SERIES,
    SUMS,
    Series,
    describe_series,
    make_series,
)
from registry.datasets.importing.values import CategoricalColumn, Floats

FACTS_KEY = b"facts"  # of the parquet file's metadata; no part of the content
WEEKS_SHOWN = 26
RECENT_DAYS = 7 * WEEKS_SHOWN + 31  # some more, where the last sales are left out later
MAX_CELLS = 20_000_000  # stores times days; with more, gaps are not searched


@dataclass(frozen=True)
class SalesFacts:
    """The facts of sales. `columns` says of each extra column whether it holds text.

    `store_days` is None where stores times days are too many. `recent` [codes, RECENT_DAYS] are units of
    stores and of products up to the day `recent_end`.
    """

    stores: list[str]
    products: list[str]
    series: Series
    days: DayTotals
    store_days: DayTotals | None
    recent: tuple[Floats, Floats]
    recent_end: int
    columns: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def from_content(cls, content: CanonicalTable, recent_end: int | None = None) -> SalesFacts:
        """The facts of rows in order of store, product and day."""
        stores, products, days, sales = content.stores, content.products, content.days, content.sales
        if recent_end is None:
            recent_end = int(days[~np.isnan(sales)].max(initial=days.min()))
        totals = DayTotals.from_rows(days, sales)
        store_days = None
        if len(stores.values) * totals.count <= MAX_CELLS:
            store_days = DayTotals.from_rows(days, sales, stores)
        recent = [sum_recent(content, codes, recent_end) for codes in (stores, products)]
        return cls(
            list(stores.values),
            list(products.values),
            describe_series(content),
            totals,
            store_days,
            (recent[0], recent[1]),
            recent_end,
            {name: content.extras.is_text(name) for name in content.extras},
        )

    @property
    def row_count(self) -> int:
        return int(self.series["rows"].sum())

    @property
    def date_range(self) -> tuple[int, int]:
        """First and last day with a sales record; rows after it are a plan."""
        sold = np.flatnonzero(self.days.sold > 0)
        return self.days.first + int(sold[0]), self.days.first + int(sold[-1])

    @property
    def plan_rows(self) -> int:
        """Rows after the last sales."""
        return int(self.days.blank[self.date_range[1] - self.days.first + 1 :].sum())

    def sum_weeks(self, kind: str) -> Floats:
        """[codes, WEEKS_SHOWN] units of stores or products in the weeks up to the last sales."""
        recent = self.recent[0 if kind == "store" else 1]
        step = self.date_range[1] - self.recent_end
        if step:
            recent = spread_recent(recent, np.arange(len(recent)), len(recent), step)
        weeks: Floats = recent[:, -7 * WEEKS_SHOWN :].reshape(len(recent), WEEKS_SHOWN, 7).sum(axis=2)
        return weeks

    def align(self, like: SalesFacts) -> SalesFacts:
        """The same facts under the names, for the days, of facts that include them."""
        stores, products = recode(self.stores, like.stores), recode(self.products, like.products)
        series = self.series.copy()
        series["store"], series["product"] = stores[series["store"]], products[series["product"]]
        days = self.days.spread(like.days.first, like.days.count)
        store_days = None
        if self.store_days is not None and like.store_days is not None:
            store_days = self.store_days.spread(like.days.first, like.days.count, stores, len(like.stores))
        step = like.recent_end - self.recent_end
        recent = (
            spread_recent(self.recent[0], stores, len(like.stores), step),
            spread_recent(self.recent[1], products, len(like.products), step),
        )
        return replace(
            like, series=series, days=days, store_days=store_days, recent=recent, columns=self.columns
        )

    def number_series(self, series: Series) -> npt.NDArray[np.int64]:
        """[S] one number for store and product, which grows in their order."""
        keys: npt.NDArray[np.int64] = series["store"].astype(np.int64) * len(self.products)
        keys += series["product"]
        return keys

    def find_series(self, content: CanonicalTable) -> Series:
        """[S] the facts of the content's series, zeros for one that is not there."""
        found = make_series(len(content.series_starts))
        place, is_there = place_series(content, (self.stores, self.products), self.series)
        found[is_there] = self.series[place[is_there]]
        return found

    def change(self, less: SalesFacts | None, more: SalesFacts) -> SalesFacts:
        """The facts without rows that were there, and with others; the extremes of series stay or grow."""
        like = describe_union([self, more])
        found, more = self.align(like), more.align(like)
        series = found.series
        keys = like.number_series(series)
        if less is not None:
            less = less.align(like)
            place = np.searchsorted(keys, like.number_series(less.series))
            for name in SUMS:
                series[name][place] -= less.series[name]
            found = found.add_totals(less, -1)
        wanted = like.number_series(more.series)
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        is_known = keys[at] == wanted
        known, at = more.series[is_known], at[is_known]
        for name in SUMS:
            series[name][at] += known[name]
        for name, choose in (*LEAST, *MOST):
            series[name][at] = choose(series[name][at], known[name])
        joined = sort_series(np.concatenate([series, more.series[~is_known]]), like)
        columns = {**self.columns, **more.columns}
        return replace(found.add_totals(more), series=joined, columns=columns)

    def add_totals(self, other: SalesFacts, sign: int = 1) -> SalesFacts:
        """These facts with the totals of days and the recent units of others under the same names."""
        store_days = None
        if self.store_days is not None and other.store_days is not None:
            store_days = self.store_days.add(other.store_days, sign)
        recent = (self.recent[0] + sign * other.recent[0], self.recent[1] + sign * other.recent[1])
        return replace(self, days=self.days.add(other.days, sign), store_days=store_days, recent=recent)

    def to_bytes(self) -> bytes:
        """The facts for the metadata of a file."""
        arrays: dict[str, npt.NDArray[Any]] = {f"series.{name}": self.series[name] for name in NAMES}
        for name, totals in (("days", self.days), ("store_days", self.store_days)):
            if totals is not None:
                arrays |= {f"{name}.{part}": getattr(totals, part) for part in ("sold", "blank", "units")}
        arrays |= {"recent.0": self.recent[0], "recent.1": self.recent[1]}
        plain: dict[str, Any] = {"stores": self.stores, "products": self.products, "columns": self.columns}
        plain |= {"first": self.days.first, "recent_end": self.recent_end}
        arrays["plain"] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            content = io.BytesIO()
            np.savez(content, **arrays)  # type: ignore[arg-type]
            stream.write(content.getvalue())
        return bytes(sink.getvalue())

    @classmethod
    def from_bytes(cls, content: bytes) -> SalesFacts:
        """The facts that to_bytes() wrote."""
        with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
            arrays = dict(np.load(io.BytesIO(stream.read()), allow_pickle=False))
        plain = json.loads(arrays["plain"].tobytes())
        series = np.zeros(len(arrays["series.rows"]), SERIES)
        for name in NAMES:
            series[name] = arrays[f"series.{name}"]
        totals = [
            DayTotals(plain["first"], *(arrays[f"{name}.{part}"] for part in ("sold", "blank", "units")))
            if f"{name}.sold" in arrays
            else None
            for name in ("days", "store_days")
        ]
        days = totals[0] or DayTotals.from_rows(np.zeros(1, np.int32), np.zeros(1))
        recent = (arrays["recent.0"], arrays["recent.1"])
        names = plain["stores"], plain["products"]
        return cls(*names, series, days, totals[1], recent, plain["recent_end"], plain["columns"])


def sum_recent(content: CanonicalTable, codes: CategoricalColumn, end: int) -> Floats:
    """[codes, RECENT_DAYS] units of each code on the days up to `end`."""
    days = content.days
    rows = np.flatnonzero((days > end - RECENT_DAYS) & (days <= end) & ~np.isnan(content.sales))
    place = codes.codes[rows] * np.int64(RECENT_DAYS) + (days[rows] - (end - RECENT_DAYS + 1))
    size = len(codes.values) * RECENT_DAYS
    units = np.bincount(place, weights=content.sales[rows], minlength=size).astype(np.float64)
    return units.reshape(-1, RECENT_DAYS)


def spread_recent(recent: Floats, places: npt.NDArray[np.int64], size: int, step: int) -> Floats:
    """The recent units at other places of `size` codes, up to a day that is `step` days later."""
    moved = np.zeros((size, RECENT_DAYS))
    if abs(step) < RECENT_DAYS:
        kept = slice(max(0, step), RECENT_DAYS + min(0, step))
        target = slice(max(0, -step), RECENT_DAYS - max(0, step))
        moved[places, target] = recent[:, kept]
    return moved


def place_series(
    content: CanonicalTable, names: tuple[Sequence[str], Sequence[str]], series: Series
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """[S] where each of the content's series is among others with these names, and whether it is there."""
    starts, (stores, products) = content.series_starts, names
    store = place_names(content.stores.values, stores)[content.stores.codes[starts]]
    product = place_names(content.products.values, products)[content.products.codes[starts]]
    wanted = store * np.int64(len(products)) + product
    keys = series["store"].astype(np.int64) * len(products) + series["product"]
    if not len(keys):
        return np.zeros(len(starts), np.int64), np.zeros(len(starts), dtype=bool)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return place, (store >= 0) & (product >= 0) & (keys[place] == wanted)


def place_names(names: Sequence[str], among: Sequence[str]) -> npt.NDArray[np.int64]:
    """[N] the place of each name among others, -1 where it is not there."""
    there = {name: place for place, name in enumerate(among)}
    return np.array([there.get(name, -1) for name in names], np.int64)


def recode(names: list[str], among: list[str]) -> npt.NDArray[np.int64]:
    """[N] the place of each name among names that include it."""
    return np.arange(len(names)) if names == among else place_names(names, among)


def sort_series(series: Series, like: SalesFacts) -> Series:
    """The series in order of store and product."""
    order = np.argsort(like.number_series(series), kind="stable")
    return series[order]


def describe_union(parts: Sequence[SalesFacts]) -> SalesFacts:
    """Facts without series: the names and days of all parts."""
    stores = sorted({name for part in parts for name in part.stores})
    products = sorted({name for part in parts for name in part.products})
    first = min(part.days.first for part in parts)
    width = max(part.days.first + part.days.count for part in parts) - first
    is_small = len(stores) * width <= MAX_CELLS and all(part.store_days is not None for part in parts)
    recent = (np.zeros((len(stores), RECENT_DAYS)), np.zeros((len(products), RECENT_DAYS)))
    return SalesFacts(
        stores,
        products,
        np.zeros(0, SERIES),
        make_totals(first, (width,)),
        make_totals(first, (len(stores), width)) if is_small else None,
        recent,
        max(part.recent_end for part in parts),
    )


def join_facts(parts: Sequence[SalesFacts]) -> SalesFacts:
    """The facts of all rows, from those of parts that share no series."""
    if len(parts) == 1:
        return parts[0]
    like = describe_union(parts)
    whole, series = like, []
    columns: dict[str, bool] = {}
    for part in parts:
        aligned = part.align(like)
        whole = whole.add_totals(aligned)
        series.append(aligned.series)
        columns |= part.columns
    return replace(whole, series=sort_series(np.concatenate(series), like), columns=columns)
