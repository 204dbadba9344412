"""Newcomers: series with no or hardly any sales, forecast with the past of their like.

Each is forecast several times, at levels that are equally likely (see likeness.py) and, after its first days,
fit what it has sold. Their forecasts together are its forecast: a wide range, as wide as the like differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from registry.series.ended import find_ended
from registry.series.newcomers import KNOWN_DAYS
from registry.series.newcomers.likeness import LEVEL_DAYS, Doubles, LikeSeries, Outlook, row_means
from registry.series.panel import Floats, Panel
from registry.series.quantiles import INTERVALS, QUANTILE_LEVELS, round_median

COPIES = 15  # levels at which a newcomer is forecast
BORROWED_DAYS = 448  # days of the past of its like: a year and the weeks before
MIN_LIKE = 20  # series whose shared past is smooth enough to borrow
WIDTH_80 = 2.563  # standard deviations between the ends of 80% of a normal distribution
GRID = 401  # levels among which those of the copies are chosen
DENSE_LEVELS = (np.arange(40) + 0.5) / 40  # of a copy's distribution, when copies become one
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Introduction:
    """A panel with newcomers as several copies: [S] rows as before, then the further copies.

    copies: row of the newcomer -> the rows of all its copies, itself the first.
    """

    panel: Panel
    size: int
    copies: dict[int, Rows]

    def select_series(self, rows: Rows) -> Introduction:
        """Only these of the S series, with their copies."""
        wanted = [int(row) for row in rows]
        extra = [copy for row in wanted for copy in self.copies.get(row, [])[1:]]
        place = {row: number for number, row in enumerate([*wanted, *extra])}
        copies = {
            place[row]: np.array([place[copy] for copy in self.copies[row]], np.intp)
            for row in wanted
            if row in self.copies
        }
        return Introduction(self.panel.select_series(np.array([*place], np.intp)), len(wanted), copies)

    def merge(self, forecast: Floats, is_count: bool = False) -> Floats:
        """Forecasts of all copies [S', H, Q] as one of each series: [S, H, Q]; counts have a whole median."""
        merged = forecast[: self.size].copy()
        for row, copies in self.copies.items():
            merged[row, :, 0] = forecast[copies, :, 0].mean(axis=0)
            merged[row, :, 1:] = mix_quantiles(forecast[copies, :, 1:])
            merged[row] = round_median(merged[row]) if is_count else merged[row]
        return merged

    def level_shares(self, forecast: Floats) -> Floats:
        """How much of the variance of a day is that of the level, which lasts: [S]; 0 for known series.

        In roots of units, in which counts vary alike at every level; forecasts of all copies [S', H, Q].
        """
        shares = np.zeros(self.size, np.float32)
        low, high = (1 + end for end in INTERVALS["80"])
        for row, copies in self.copies.items():
            roots = np.sqrt(forecast[copies])  # [K, H, Q]
            between = roots[..., 0].var(axis=0).mean()
            within = (((roots[..., high] - roots[..., low]) / WIDTH_80) ** 2).mean()
            shares[row] = between / max(between + within, 1e-9)
        return shares


def introduce(panel: Panel, only: Rows | None = None, is_young_too: bool = True) -> Introduction:
    """The panel with a past for series that hardly have one; as it is when there are none, or no like.

    only: the introduction of these series, judged by all. Without `is_young_too` those that have sold since
    a few days stay as they are: models of release 0.1 know them so.
    """
    introduction = Introduction(panel, len(panel.keys), {})
    limit = KNOWN_DAYS if is_young_too else 1
    if only is not None and not find_newcomers(panel.select_series(only), limit).any():
        return introduction.select_series(only)
    is_new = find_newcomers(panel, limit)
    wanted = is_new if only is None else is_new & np.isin(np.arange(len(is_new)), only)
    if wanted.any():
        like = LikeSeries.fit(panel, is_new | find_ended(panel.open_sales))
        if like is not None:
            introduction = _Borrowing(panel, like).add_copies([int(row) for row in np.flatnonzero(wanted)])
    return introduction if only is None else introduction.select_series(only)


def find_newcomers(panel: Panel, days: int = KNOWN_DAYS) -> NDArray[np.bool_]:
    """Whether each series has fewer recorded days of its own: [S]."""
    return np.asarray((~np.isnan(panel.own_sales)).sum(axis=1) < days)


@dataclass(frozen=True)
class _Borrowing:
    """Gives newcomers of a panel the past of its grown series."""

    panel: Panel
    like: LikeSeries

    @cached_property
    def past(self) -> Floats:
        """Sales of the like on the B days that are borrowed: [N, B], NaN = closed or no record."""
        return self.panel.open_sales[self.like.rows, -BORROWED_DAYS:]

    @cached_property
    def scatter(self) -> float:
        """Variance of a day around what is usual then over its mean, as most of the like have; at least 1."""
        newest = self.past[:, -LEVEL_DAYS:].astype(np.float64)
        mean = row_means(newest)
        usual = mean[:, None] * self._shared_course(np.arange(len(mean)))[None, -newest.shape[1] :]
        variance = row_means((newest - usual) ** 2)
        sold = mean > 0
        return max(1.0, float(np.median(variance[sold] / mean[sold]))) if sold.any() else 1.0

    def add_copies(self, rows: list[int]) -> Introduction:
        """The panel with COPIES of each of these rows."""
        size, extra = len(self.panel.keys), COPIES - 1
        places = [*range(size), *(row for row in rows for _copy in range(extra))]
        wide = self.panel.select_series(np.array(places, np.intp))
        sales, closed, borrowed = wide.sales.copy(), wide.closed.copy(), np.zeros(len(places), np.int64)
        copies = {}
        for number, row in enumerate(rows):
            first = size + number * extra
            own = copies[row] = np.array([row, *range(first, first + extra)], np.intp)
            closed[own] = shut = self._closed_days(row)
            course, start = self._course(row), self._first_record(row)
            levels = self._choose_levels(row, course)
            lent = np.where(shut, np.nan, course)[:start]
            sales[own, :start] = np.exp(levels)[:, None] * lent[None]
            borrowed[own] = start
        return Introduction(replace(wide, sales=sales, closed=closed, borrowed=borrowed), size, copies)

    def _first_record(self, row: int) -> int:
        """The column of its first record; all days when it has none."""
        recorded = ~np.isnan(self.panel.sales[row])
        return int(recorded.argmax()) if recorded.any() else self.panel.days

    def _closed_days(self, row: int) -> NDArray[np.bool_]:
        """[D] closed days of its store; those of most stores for one that nothing is known of."""
        closed = self.panel.closed[row]
        if not closed.all():
            return closed
        return np.asarray(self.panel.closed[self.like.rows].mean(axis=0) > 0.5)

    def _course(self, row: int) -> Doubles:
        """[D] sales of its like over what they usually sell, NaN on days that none has recorded."""
        return self._shared_course(self._find_like(row))

    def _shared_course(self, chosen: NDArray[np.intp]) -> Doubles:
        """The course of these of the like together."""
        known = ~np.isnan(self.past[chosen])
        usual = (known * self.like.usual[chosen][:, None]).sum(axis=0)
        sold = np.nansum(self.past[chosen], axis=0, dtype=np.float64)
        course = np.full(self.panel.days, np.nan)
        course[-self.past.shape[1] :] = np.where(usual > 0, sold / np.maximum(usual, 1e-9), np.nan)
        return course

    def _find_like(self, row: int) -> NDArray[np.intp]:
        """Those of the like in its store with its rarest static text, if they are enough; else more of them.

        Places in `like.rows`.
        """
        store, product = self.panel.keys[row]
        stores, products = self._codes
        in_store, same = stores == store, [products == product]
        for name in self.panel.static:
            if name in self.panel.categories:
                values = self.panel.static[name]
                same.append(values[self.like.rows] == values[row])
        groups = sorted((one for one in same if one.sum() >= MIN_LIKE), key=lambda one: int(one.sum()))
        for group in (*(one & in_store for one in groups), in_store, *groups):
            if group.sum() >= MIN_LIKE:
                return np.flatnonzero(group)
        return np.arange(len(self.like.rows))

    @cached_property
    def _codes(self) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
        """Store and product of each of the like: [N] both."""
        stores, products = zip(*(self.panel.keys[place] for place in self.like.rows), strict=True)
        return np.array(stores), np.array(products)

    def _choose_levels(self, row: int, course: Doubles) -> Doubles:
        """Logarithms of daily sales, COPIES of them, equally likely after what it has sold so far."""
        outlook = self.like.judge(*self.panel.keys[row])
        own = self.panel.open_sales[row].astype(np.float64)
        known = ~np.isnan(own)
        usual = float(np.where(np.isnan(course[known]), 1.0, course[known]).sum())
        return choose_levels(outlook, float(own[known].sum()), usual, self.scatter)


def choose_levels(outlook: Outlook, sold: float, days: float, scatter: float) -> Doubles:
    """COPIES logarithms of daily sales that are equally likely, in ascending order.

    sold: own units on so many days (a busy day counts for more); scatter: variance of a day over its mean.

    >>> outlook = Outlook(0.0, np.array([-1.0, 0.0, 1.0]), np.ones(3) / 3)
    >>> float(np.exp(choose_levels(outlook, 0.0, 0.0, 1.0))[COPIES // 2].round(1))
    1.0
    >>> float(np.exp(choose_levels(outlook, 30.0, 10.0, 1.0))[COPIES // 2].round(1))
    2.9
    """
    mean = float(outlook.offsets @ outlook.weights)
    spread = max(0.05, float(np.sqrt((outlook.offsets - mean) ** 2 @ outlook.weights)))
    width = 0.3 * spread
    grid = np.linspace(outlook.offsets.min() - 3 * spread, outlook.offsets.max() + 3 * spread, GRID)
    # how likely each level is by the like: their offsets, smoothed; with a floor, since they are few
    near = np.exp(-0.5 * ((grid[:, None] - outlook.offsets[None]) / width) ** 2)
    likely = np.log(near @ outlook.weights + 1e-9)
    # and by its own sales: a Poisson likelihood, flatter the more days scatter
    expected = np.exp(np.minimum(grid + outlook.centre, 50.0)) * days
    likely += (sold * grid - expected) / scatter
    share = np.cumsum(np.exp(likely - likely.max()))
    wanted = (np.arange(COPIES) + 0.5) / COPIES
    return outlook.centre + np.interp(wanted, share / share[-1], grid)


def mix_quantiles(quantiles: Floats) -> Floats:
    """The quantiles [H, Q - 1] of equally likely distributions with these quantiles [K, H, Q - 1].

    >>> two = np.stack([np.full((1, 7), 2.0), np.full((1, 7), 6.0)])
    >>> mix_quantiles(two)[0, [0, -1]].tolist()
    [2.0, 6.0]
    """
    right = np.clip(np.searchsorted(QUANTILE_LEVELS, DENSE_LEVELS), 1, len(QUANTILE_LEVELS) - 1)
    levels = np.array(QUANTILE_LEVELS)
    part = np.clip((DENSE_LEVELS - levels[right - 1]) / (levels[right] - levels[right - 1]), 0, 1)
    dense = quantiles[..., right - 1] * (1 - part) + quantiles[..., right] * part  # [K, H, 40]
    pooled = np.moveaxis(dense, 0, 1).reshape(quantiles.shape[1], -1)
    return np.quantile(pooled, levels, axis=1).T.astype(np.float32)
