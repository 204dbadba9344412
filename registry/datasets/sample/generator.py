"""The sample dataset: sales of a fictitious pharmacy chain, reproducible for the same arguments.

It holds patterns to learn and traps to avoid: weekly and yearly seasons, flu waves of varying height,
promotions with price cuts, price rises, public holidays, stores closed on Sundays, slow movers, two late
launches, a discontinued product, and stock-outs, some recorded as zeros and some as missing rows.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.sample.products import CATEGORIES, PRODUCTS

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LAST_DAY = dt.date(2026, 10, 31)  # fixed, so that the same command always gives the same file
DISPERSION = 20.0  # the variance is mean + mean² / DISPERSION (negative binomial)
COUNTRY = "DE"  # public_holidays() holds those that all German states share


def easter_sunday(year: int) -> dt.date:
    """Easter Sunday by the anonymous Gregorian algorithm.

    >>> easter_sunday(2026)
    datetime.date(2026, 4, 5)
    """
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    month, day = divmod(d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114, 31)
    return dt.date(year, month, day + 1)


def public_holidays(year: int) -> list[dt.date]:
    """Days on which all stores are closed."""
    moving = [easter_sunday(year) + dt.timedelta(days=offset) for offset in (-2, 1, 39, 50)]
    fixed = [(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)]
    return moving + [dt.date(year, month, day) for month, day in fixed]


@dataclass(frozen=True, kw_only=True)
class SampleDataset:
    """Size, period and seed of a sample; written store by store, so memory use stays small."""

    stores: int = 10
    products: int = 50
    days: int = 1096
    seed: int = 7
    last: dt.date = LAST_DAY

    def __post_init__(self) -> None:
        for name, high in (("stores", 999), ("products", 99_999), ("days", 10_000)):
            if not 1 <= getattr(self, name) <= high:
                raise ValueError(f"A sample with {getattr(self, name)} {name}: choose from 1 to {high}.")
        if self.seed < 0:
            raise ValueError(f"The seed is {self.seed}: choose 0 or more.")

    @cached_property
    def dates(self) -> npt.NDArray[np.datetime64]:
        """[D] days up to and including the last one."""
        last = np.datetime64(self.last, "D")
        return np.arange(last - self.days + 1, last + 1)

    @cached_property
    def weekday(self) -> npt.NDArray[np.int64]:
        """[D] 0 = Monday."""
        return (self.dates.astype("int64") + 3) % 7

    @cached_property
    def is_holiday(self) -> Flags:
        """[D] public holidays."""
        years = range(self.dates[0].astype(object).year, self.last.year + 1)
        return np.isin(
            self.dates, np.array([day for year in years for day in public_holidays(year)], "M8[D]")
        )

    @cached_property
    def year_angle(self) -> Floats:
        """[D] position in the year, 0 on 1 January, 2π a year later."""
        start = self.dates.astype("M8[Y]").astype("M8[D]")
        angle: Floats = 2 * np.pi * (self.dates - start).astype("int64") / 365.25
        return angle

    @cached_property
    def assortment(self) -> Assortment:
        """The products shared by all stores."""
        return Assortment.from_sample(self)

    def write_parquet(self, path: Path) -> int:
        """Writes the parquet file, one row group per store; returns the number of rows."""
        rows, writer = 0, None
        try:
            for store in range(self.stores):
                table = build_store_table(self, store)
                writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
                writer.write_table(table)
                rows += table.num_rows
        finally:
            if writer is not None:
                writer.close()
        return rows


@dataclass(frozen=True)
class Assortment:
    """Products with prices and demand, the same for all stores."""

    category: npt.NDArray[np.int64]  # [P] index into CATEGORIES
    level: Floats  # [P] units a day in an average store
    price: Floats  # [P, D] list price, rising yearly
    discount: Floats  # [P, D] price cut as a share, 0 outside promotions
    demand: Floats  # [P, D] factor of season, flu and trend
    is_listed: Flags  # [P, D] launched and not discontinued

    @classmethod
    def from_sample(cls, sample: SampleDataset) -> Assortment:
        """Draws the products of a sample."""
        rng = np.random.default_rng([sample.seed, 1])
        base = np.arange(sample.products) % len(PRODUCTS)
        kind = np.array([PRODUCTS[i].category for i in base])
        level = np.array([PRODUCTS[i].level for i in base]) * rng.lognormal(0, 0.25, sample.products)
        list_price = np.array([PRODUCTS[i].price for i in base])
        rises = 1 + 0.03 * np.floor(np.arange(sample.days) / 365)[None] * rng.uniform(
            0, 1.5, (sample.products, 1)
        )
        price = np.round(list_price[:, None] * rises * 20) / 20 - 0.01
        demand = draw_seasons(sample, rng)[kind] * draw_trends(sample, rng)
        return cls(kind, level, price, draw_campaigns(sample, rng), demand, draw_lifetimes(sample, rng))


def draw_seasons(sample: SampleDataset, rng: np.random.Generator) -> Floats:
    """[C, D] yearly season of each category; cold & flu products also get a wave each winter."""
    angle = sample.year_angle[None]
    peak = np.array([category.peak for category in CATEGORIES])[:, None] * 2 * np.pi / 12
    swing = np.array([category.swing for category in CATEGORIES])[:, None]
    factor = np.exp(swing * np.cos(angle - peak))
    day = sample.dates.astype("int64")
    for year in range(sample.dates[0].astype(object).year, sample.last.year + 1):
        centre = int(np.datetime64(f"{year}-02-01", "D").astype("int64") + rng.integers(-28, 24))
        wave = rng.uniform(0.6, 2.2) * np.exp(-0.5 * ((day - centre) / rng.uniform(13, 21)) ** 2)
        factor *= 1 + np.array([category.flu for category in CATEGORIES])[:, None] * wave
    return np.asarray(factor, dtype=np.float64)


def draw_trends(sample: SampleDataset, rng: np.random.Generator) -> Floats:
    """[P, D] growth or decline of −12% to +15% a year, with some drift."""
    years = np.arange(sample.days)[None] / 365.25
    growth = rng.uniform(-0.12, 0.15, (sample.products, 1))
    drift = np.repeat(
        rng.normal(0, 0.03, (sample.products, sample.days // 28 + 1)).cumsum(axis=1), 28, axis=1
    )
    factor: Floats = np.exp(growth * years + np.clip(drift[:, : sample.days], -0.4, 0.4))
    return factor


def draw_campaigns(sample: SampleDataset, rng: np.random.Generator) -> Floats:
    """[P, D] price cuts of 10–30% in promotions that start on a Monday and last one or two weeks."""
    weeks = sample.days // 7 + 2
    starts = rng.random((sample.products, weeks)) < 0.085
    depth = rng.choice([0.1, 0.15, 0.2, 0.25, 0.3], (sample.products, weeks))
    long = rng.random((sample.products, weeks)) < 0.5
    cut = np.where(starts, depth, 0.0)
    cut[:, 1:] = np.where((cut[:, 1:] == 0) & long[:, 1:], cut[:, :-1], cut[:, 1:])
    monday = int(sample.weekday[0])  # so that weeks begin on Mondays
    return np.repeat(cut, 7, axis=1)[:, monday : monday + sample.days]


def draw_lifetimes(sample: SampleDataset, rng: np.random.Generator) -> Flags:
    """[P, D] whether a product is sold: with ten products or more, two launch late and one ends early."""
    sold = np.ones((sample.products, sample.days), dtype=bool)
    if sample.products >= 10:
        late, later, gone = rng.permutation(min(sample.products, len(PRODUCTS)))[:3]
        sold[late, : int(sample.days * 0.45)] = False
        sold[later, : int(sample.days * 0.8)] = False
        sold[gone, int(sample.days * 0.85) :] = False
    return sold


def build_store_table(sample: SampleDataset, store: int) -> pa.Table:
    """All rows of one store, by product and day."""
    shelf, rng = sample.assortment, np.random.default_rng([sample.seed, 2, store])
    sunday_shut = store % 3 != 0
    shut = sample.is_holiday | (sunday_shut & (sample.weekday == 6))
    local = rng.random((sample.products, 1)) < 0.9  # a store skips some promotions
    cut = np.where(local, shelf.discount, 0.0)
    price = np.round(shelf.price * (1 - cut), 2)
    rate = shelf.level[:, None] * shelf.demand * draw_week_factors(sample, store, rng)[shelf.category]
    rate *= rng.lognormal(
        -0.1 + 0.35 * np.cos(store), 0.2, (sample.products, 1)
    )  # size and preferences of the store
    rate *= np.exp(2.6 * cut) * np.where(is_before_closing(shut), 1.18, 1.0)
    rate *= np.repeat(rng.lognormal(0, 0.08, sample.days // 5 + 1), 5)[: sample.days]  # weather, roadworks
    rate[:, shut] = 0
    sales = rng.poisson(rng.gamma(DISPERSION, rate / DISPERSION))
    empty, lost = draw_stock_outs(sample, rng)
    sales[empty] = 0
    return to_arrow_table(sample, store, StoreRecords(sales, price, cut > 0, shut, shelf.is_listed & ~lost))


def draw_week_factors(sample: SampleDataset, store: int, rng: np.random.Generator) -> Floats:
    """[C, D] weekly season: busy Mondays, quiet Sundays, varying by store."""
    week = np.array([1.18, 1.02, 0.96, 1.0, 1.15, 0.85, 0.45]) * rng.normal(1, 0.05, 7)
    leisure = np.array([0.9, 0.95, 0.97, 1.0, 1.1, 1.3, 0.8])  # leisure products sell at the weekend
    mix = np.array([category.leisure for category in CATEGORIES])[:, None]
    if store % 4 == 3:  # in a shopping centre, busiest on Saturdays
        week = week * np.array([0.9, 0.92, 0.95, 1.0, 1.1, 1.5, 1.2])
    factor: Floats = ((1 - mix) * week[None] + mix * leisure[None] * week.mean())[:, sample.weekday]
    return factor


def is_before_closing(is_closed: Flags) -> Flags:
    """[D] open days before a closed one, when people shop ahead."""
    return np.append(is_closed[1:], False) & ~is_closed


def draw_stock_outs(sample: SampleDataset, rng: np.random.Generator) -> tuple[Flags, Flags]:
    """[P, D] days sold out and recorded as zero, and [P, D] days sold out and not recorded."""
    begin = rng.random((sample.products, sample.days)) < 0.0004
    length = rng.integers(3, 15, (sample.products, sample.days))
    end = np.zeros((sample.products, sample.days + 16), dtype=np.int64)
    rows, days = np.nonzero(begin)
    np.add.at(end, (rows, days), 1)
    np.add.at(end, (rows, days + length[rows, days]), -1)
    out = end.cumsum(axis=1)[:, : sample.days] > 0
    unrecorded = rng.random((sample.products, 1)) < 0.25
    return out & ~unrecorded, out & unrecorded


@dataclass(frozen=True)
class StoreRecords:
    """The facts of one store: [P, D], `is_closed` [D]."""

    sales: npt.NDArray[np.int64]
    price: Floats
    has_promotion: Flags
    is_closed: Flags
    is_recorded: Flags


def to_arrow_table(sample: SampleDataset, store: int, facts: StoreRecords) -> pa.Table:
    """The rows of one store; texts are dictionary-encoded to keep large chains small."""
    product, day = np.nonzero(facts.is_recorded)
    names = [PRODUCTS[i % len(PRODUCTS)].variant_name(i // len(PRODUCTS)) for i in range(sample.products)]
    width = max(3, len(str(sample.products)))
    codes = [f"P{i + 1:0{width}d}" for i in range(sample.products)]
    kinds = [category.name for category in CATEGORIES]

    def encode_texts(values: list[str], index: npt.NDArray[np.int64]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(index, pa.int32()), pa.array(values))

    return pa.table(
        {
            "date": pa.array(sample.dates[day], pa.date32()),
            "store_id": encode_texts([f"S{store + 1:02d}"], np.zeros(len(day), np.int64)),
            "product_id": encode_texts(codes, product),
            "sales": pa.array(facts.sales[product, day], pa.int32()),
            "open": pa.array(~facts.is_closed[day], pa.int8()),
            "promo": pa.array(facts.has_promotion[product, day], pa.int8()),
            "price": pa.array(facts.price[product, day], pa.float64()),
            "product_name": encode_texts(names, product),
            "category": encode_texts(kinds, sample.assortment.category[product]),
        }
    )
