"""Honest intervals: how wide they must be is read off held-back windows, never off the learning days.

Series: conformal, one factor per interval, week ahead and sales level. Totals (of a product, a store,
everything): relative misses of such totals, since daily bounds of the parts do not add up. Sums over days:
the daily spread, widened by how much misses of neighbouring days go together.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.quantiles import INTERVALS, LEVELS, MEDIAN

WEEK, MAX_WEEKS, SIZES = 7, 4, 3  # buckets: weeks ahead, and thirds of the sales level
FEWEST = 60  # misses that a bucket needs for a factor of its own
WIDEST = 20.0
Held = tuple[Floats, Floats]  # actual [S, H] (NaN = unknown), forecast [S, H, 1 + Q]


@dataclass
class Calibration:
    """Plain numbers, kept as JSON in the bundle."""

    edges: list[float] = field(default_factory=list)  # between sales levels
    factors: dict[str, list[list[float]]] = field(default_factory=dict)  # interval -> [week][size]
    totals: dict[str, list[float]] = field(default_factory=dict)  # kind -> relative miss at each level
    together: dict[str, float] = field(default_factory=dict)  # kind -> correlation of misses over days

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def fit(cls, held: list[Held], keys: list[tuple[str, str]]) -> Calibration:
        """From held-back windows of the same series."""
        if not held:
            return cls()
        levels = np.concatenate([forecast[..., 0].mean(axis=1) for _actual, forecast in held])
        result = cls(edges=[float(edge) for edge in np.quantile(levels, [1 / 3, 2 / 3])])
        for name, ends in INTERVALS.items():
            parts = [_misses(actual, forecast, ends) for actual, forecast in held]
            result.factors[name] = result._factors(parts, held, int(name) / 100)
        for kind, groups in group_rows(keys).items():
            misses = [_relative(actual, forecast, groups) for actual, forecast in held]
            result.totals[kind], result.together[kind] = _spread(misses)
        return result

    def _factors(self, parts: list[Floats], held: list[Held], share: float) -> list[list[float]]:
        sizes = np.concatenate([self._sizes(forecast) for _actual, forecast in held])
        misses = np.concatenate(parts)  # [W * S, H]
        weeks = _weeks(misses.shape[1])
        whole = _factor(misses, share)
        table = []
        for week in range(MAX_WEEKS):
            row = [misses[sizes == size][:, weeks == week] for size in range(SIZES)]
            table.append([_factor(m, share) if (~np.isnan(m)).sum() >= FEWEST else whole for m in row])
        return table

    def _sizes(self, forecast: Floats) -> NDArray[np.int64]:
        return np.searchsorted(np.array(self.edges), forecast[..., 0].mean(axis=1)).astype(np.int64)

    def apply(self, forecast: Floats) -> Floats:
        """Quantiles of single series moved to their calibrated distance from the median: [S, H, 1 + Q]."""
        if not self.factors:
            return forecast
        result = forecast.copy()
        weeks, sizes = _weeks(forecast.shape[1]), self._sizes(forecast)
        median = forecast[..., 1 + MEDIAN]
        for name, (low, high) in INTERVALS.items():
            factor = np.array(self.factors[name])[weeks][:, sizes].T  # [S, H]
            room = _room(forecast)
            result[..., 1 + low] = median - factor * (median - forecast[..., 1 + low] + room)
            result[..., 1 + high] = median + factor * (forecast[..., 1 + high] - median + room)
        closed = (forecast[..., 0] == 0) & (forecast[..., -1] == 0)
        result[..., 1:] = np.sort(np.maximum(result[..., 1:], 0), axis=2)
        result[closed] = 0
        return result.astype(np.float32)

    def total(self, kind: str, mean: Floats) -> Floats:
        """Quantiles of a total with this daily mean [H]: [H, Q]."""
        misses = np.array(self.totals.get(kind) or [0.0] * len(LEVELS))
        return np.maximum(0, mean[:, None] * (1 + misses[None])).astype(np.float32)

    def sum_over_days(self, kind: str, mean: Floats) -> tuple[float, float]:
        """The 80% range of the sum of a total over the days of `mean` [H]."""
        misses, days = self.totals.get(kind) or [0.0] * len(LEVELS), int((mean > 0).sum()) or 1
        shrink = np.sqrt((1 + (days - 1) * self.together.get(kind, 1.0)) / days)
        low, high = (1 + shrink * (misses[end] - misses[MEDIAN]) for end in INTERVALS["80"])
        return max(0.0, float(mean.sum() * low)), float(mean.sum() * high)


def group_rows(keys: list[tuple[str, str]]) -> dict[str, list[NDArray[np.intp]]]:
    """kind -> the rows of each group: every series, every store, every product, and all.

    >>> {kind: len(rows) for kind, rows in group_rows([("A", "x"), ("A", "y"), ("B", "x")]).items()}
    {'series': 3, 'store': 2, 'product': 2, 'all': 1}
    """
    table = np.array(keys, dtype=object).reshape(-1, 2)
    stores = [np.flatnonzero(table[:, 0] == code) for code in dict.fromkeys(table[:, 0])]
    products = [np.flatnonzero(table[:, 1] == code) for code in dict.fromkeys(table[:, 1])]
    every = [np.array([row]) for row in range(len(keys))]
    return {"series": every, "store": stores, "product": products, "all": [np.arange(len(keys))]}


def _weeks(horizon: int) -> NDArray[np.int64]:
    return np.minimum(np.arange(horizon) // WEEK, MAX_WEEKS - 1)


def _room(forecast: Floats) -> Floats:
    """The least distance of a bound from the median that a factor can act on: 2% of the mean."""
    room: Floats = 0.02 * forecast[..., 0]
    return room


def _misses(actual: Floats, forecast: Floats, ends: tuple[int, int]) -> Floats:
    """How many times its own width the interval would have to be to hold the actual: [S, H]."""
    median, room = forecast[..., 1 + MEDIAN], _room(forecast)
    below = median - forecast[..., 1 + ends[0]] + room
    above = forecast[..., 1 + ends[1]] - median + room
    with np.errstate(invalid="ignore", divide="ignore"):
        miss = np.where(actual < median, (median - actual) / below, (actual - median) / above)
    miss = np.where(actual == median, 0.0, miss)
    closed = (forecast[..., 0] == 0) & (forecast[..., -1] == 0)
    return np.where(closed | np.isnan(actual), np.nan, np.minimum(miss, WIDEST)).astype(np.float32)


def _factor(misses: Floats, share: float) -> float:
    known = misses[~np.isnan(misses)]
    if not known.size:
        return 1.0
    level = min(1.0, share * (1 + 1 / known.size))
    return float(np.quantile(known, level))


def _relative(actual: Floats, forecast: Floats, groups: list[NDArray[np.intp]]) -> Floats:
    """[groups, H]: miss of the group's total as a share of its usual day; NaN where nothing is known."""
    known = ~np.isnan(actual)
    rows = []
    for group in groups:
        mean = np.where(known[group], forecast[group, :, 0], 0).sum(axis=0)
        sold = np.nansum(actual[group], axis=0)
        usual = mean[mean > 0].mean() if (mean > 0).any() else np.nan
        rows.append(
            np.where(known[group].any(axis=0), (sold - mean) / np.maximum(mean, 0.25 * usual), np.nan)
        )
    return np.array(rows, np.float32)


def _spread(windows: list[Floats]) -> tuple[list[float], float]:
    """Quantiles of the relative misses, and how much misses of one path go together (0 = not at all)."""
    misses = np.concatenate(windows)
    known = misses[~np.isnan(misses)]
    if known.size < 2:
        return [0.0] * len(LEVELS), 1.0
    paths = misses[(~np.isnan(misses)).sum(axis=1) > 1]
    days = (~np.isnan(paths)).sum(axis=1).mean() if len(paths) else 1.0
    variance = float(np.nanmean(paths**2)) if len(paths) else 0.0
    of_means = float(np.mean(np.nanmean(paths, axis=1) ** 2)) if len(paths) else 0.0
    together = (of_means / variance * days - 1) / (days - 1) if variance > 0 and days > 1 else 1.0
    quantiles = np.quantile(known, LEVELS)
    return [float(q) for q in quantiles], float(np.clip(together, 0.03, 1.0))
