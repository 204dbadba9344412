"""Sums of errors that add up: of each series by week and lag, and of groups of series. No Django.

A cell holds sums only, so the metrics of any cells together are those of all their days: what
registry/series/metrics.py says of the same days. MASE takes each day of a series by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.paths import read_quantiles
from registry.series.quantiles import INTERVALS, MEDIAN_INDEX, QUANTILE_LEVELS

Sums = NDArray[np.float64]
Codes = NDArray[np.intp]
CellKey = tuple[int, int]  # Monday of the week as days since 1970, and the first day of the lag

LAGS = (1, 8, 15, 29)  # first day ahead of each: 1-7, 8-14, 15-28, 29 and more
WEEK = 7
ROWS_AT_ONCE = 2048
INTERVAL_LEVELS = tuple(QUANTILE_LEVELS[end] for ends in INTERVALS.values() for end in ends)
SUM_NAMES = (
    "count",  # days, or sums of days, with a record
    "units",  # |sold|
    "missed",  # |sold - median|
    "over",  # mean - sold
    "naive_missed",  # |sold - the same weekday before|
    "scaled",  # |sold - median| / mean step from week to week
    "scaled_count",
    "inside_50",
    "inside_80",
    "inside_95",
    "deviation",  # (sold - mean) / standard deviation of the paths, of totals
)
PLACES = {name: place for place, name in enumerate(SUM_NAMES)}


def find_lag(days_ahead: int) -> int:
    """The first day of the lag that a day belongs to.

    >>> [find_lag(days) for days in (1, 7, 8, 28, 29, 90)]
    [1, 1, 8, 15, 29, 29]
    """
    return max(first for first in LAGS if first <= days_ahead)


def find_monday(day: int) -> int:
    """The Monday of a day's week, both as days since 1970 (a Thursday)."""
    return day - (day + 3) % WEEK


@dataclass(frozen=True)
class KnownDays:
    """The first days of a run and what was sold: [S, N] each, quantiles [S, N, Q - 1], scale [S].

    actual: NaN = closed or no record. naive: the same weekday before the origin.
    origin: days since 1970.
    """

    origin: int
    actual: Floats
    mean: Floats
    quantiles: Floats
    naive: Floats
    scale: Floats

    def key_of(self, days_ahead: int) -> CellKey:
        """The cell of the day so many days ahead."""
        return find_monday(self.origin + days_ahead), find_lag(days_ahead)


def sum_days(known: KnownDays, first: int) -> dict[CellKey, Sums]:
    """Sums of each series over the days from number `first` (from 1) on: {cell: [S, M]}."""
    found: dict[CellKey, Sums] = {}
    for ahead in range(first, known.actual.shape[1] + 1):
        sums = score_day(known, ahead - 1)
        key = known.key_of(ahead)
        found[key] = found[key] + sums if key in found else sums
    return found


def score_day(known: KnownDays, place: int) -> Sums:
    """The sums of one day of every series: [S, M]; zeros where nothing is recorded."""
    actual = known.actual[:, place].astype(np.float64)
    is_known = ~np.isnan(actual)
    quantiles = known.quantiles[:, place].astype(np.float64)
    sums = np.zeros((len(actual), len(SUM_NAMES)))
    missed = np.abs(actual - quantiles[:, MEDIAN_INDEX])
    has_scale = is_known & (known.scale > 0)
    sums[:, PLACES["count"]] = is_known
    sums[:, PLACES["units"]] = np.abs(actual)
    sums[:, PLACES["missed"]] = missed
    sums[:, PLACES["over"]] = known.mean[:, place] - actual
    sums[:, PLACES["naive_missed"]] = np.abs(actual - known.naive[:, place])
    np.divide(missed, known.scale, out=sums[:, PLACES["scaled"]], where=has_scale)
    sums[:, PLACES["scaled_count"]] = has_scale
    for name, (low, high) in INTERVALS.items():
        sums[:, PLACES[f"inside_{name}"]] = (actual >= quantiles[:, low]) & (actual <= quantiles[:, high])
    sums[~is_known] = 0
    return sums


def sum_groups(sums: Sums, codes: Codes, size: int) -> Sums:
    """Sums of the series [S, M] by group: [size, M]; codes [S]."""
    total = np.zeros((size, sums.shape[1]))
    if len(codes):
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
        total[codes[order][starts]] = np.add.reduceat(sums[order], starts, axis=0)
    return total


@dataclass(frozen=True)
class SpanPaths:
    """The sample paths of sums by week: whole numbers [S, W, N] times scales [S, W]."""

    paths: NDArray[np.uint16]
    scales: Floats
    is_count: bool

    def draw(self, rows: Codes, weeks: range) -> Floats:
        """The paths of these series over the weeks: [R, N] units."""
        drawn: Floats = (
            self.paths[rows, weeks.start].astype(np.float32) * self.scales[rows, weeks.start, None]
        )
        for week in weeks[1:]:
            drawn += self.paths[rows, week] * self.scales[rows, week, None]
        return drawn


def score_spans(actual: Sums, expected: Sums, paths: SpanPaths, weeks: range) -> Sums:
    """Sums of the spans of every series: [S, M]; actual [S] (NaN = not all days are known), expected [S]."""
    found = np.zeros((len(actual), len(SUM_NAMES)))
    rows = np.flatnonzero(~np.isnan(actual))
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        found[part] = _score_samples(actual[part], expected[part], paths.draw(part, weeks), paths.is_count)
    found[:, PLACES["deviation"]] = 0  # of totals only
    return found


def score_totals(
    actual: Sums, expected: Sums, paths: SpanPaths, weeks: range, groups: Sequence[Codes]
) -> Sums:
    """The same of the total of each group of rows: [G, M]; series whose days are not known are left out."""
    found = np.zeros((len(groups), len(SUM_NAMES)))
    is_known = ~np.isnan(actual)
    for place, rows in enumerate(groups):
        part = rows[is_known[rows]]
        if len(part):
            drawn = np.zeros(paths.paths.shape[2])
            for start in range(0, len(part), ROWS_AT_ONCE):
                drawn += paths.draw(part[start : start + ROWS_AT_ONCE], weeks).sum(axis=0, dtype=np.float64)
            sold, hoped = actual[part].sum(keepdims=True), expected[part].sum(keepdims=True)
            found[place] = _score_samples(sold, hoped, drawn[None].astype(np.float32), paths.is_count)[0]
    return found


def _score_samples(actual: Sums, expected: Sums, drawn: Floats, is_count: bool) -> Sums:
    """The sums of R values [R] with their samples [R, N]: [R, M]."""
    found = np.zeros((len(actual), len(SUM_NAMES)))
    ends = read_quantiles(drawn, is_count, (*INTERVAL_LEVELS, 0.5)).astype(np.float64)
    spread = drawn.std(axis=1, dtype=np.float64)
    found[:, PLACES["count"]] = 1
    found[:, PLACES["units"]] = np.abs(actual)
    found[:, PLACES["missed"]] = np.abs(actual - ends[:, -1])
    found[:, PLACES["over"]] = expected - actual
    for place, name in enumerate(INTERVALS):
        low, high = ends[:, 2 * place], ends[:, 2 * place + 1]
        found[:, PLACES[f"inside_{name}"]] = (actual >= low) & (actual <= high)
    missed = actual - expected
    np.divide(missed, spread, out=found[:, PLACES["deviation"]], where=spread > 0)
    return found
