"""Ranges of sums from the quantiles of the parts themselves: a small seller is wider than a large one.

Spread: the standard deviation of a sum as a share of it, if its series and days erred independently. Errors
that parts share (a season that comes late) do not even out: one number for each kind of total. How many
spreads an interval reaches down and up is measured on the holdout windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.quantiles import INTERVALS, QUANTILE_LEVELS

Groups = list[NDArray[np.intp]]
Z_80 = 1.2816  # standard deviations of a normal distribution that hold 80% of it
MIN_ERRORS = 12  # errors below which their quantiles mean nothing
SHARED_STEPS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # tried for the shared error, in median spreads
LEVELS_80 = tuple(QUANTILE_LEVELS[end] for end in INTERVALS["80"])
EPSILON = 1e-9


@dataclass(frozen=True)
class OwnRange:
    """What was measured for one kind of total; stored as a list of its fields in the bundle."""

    shared: float  # error that does not even out, as a share
    ends: tuple[float, ...]  # how many spreads each end is away from the mean

    def relative_ends(self, spread: float) -> list[float]:
        """The ends of the interval of a sum with this spread, as shares of it."""
        width = float(np.hypot(self.shared, spread))
        return [max(-1.0, end * width) for end in self.ends]

    def widen(self, factor: float) -> OwnRange:
        """The range beyond the tested days, where the ranges of the days are wider already."""
        return replace(self, shared=self.shared * factor)

    def to_list(self) -> list[float]:
        return [self.shared, *self.ends]

    @classmethod
    def from_list(cls, values: list[float]) -> OwnRange:
        return cls(values[0], tuple(values[1:]))


def daily_variance(mean: Floats, quantiles: Floats, is_count: bool) -> Floats:
    """The variance that the 80% interval of each day implies: [S, H]; counts vary by their mean at least."""
    low, high = INTERVALS["80"]
    spread: Floats = ((quantiles[..., high] - quantiles[..., low]) / (2 * Z_80)) ** 2
    return np.maximum(spread, mean) if is_count else spread


def sum_spread(mean: Floats, quantiles: Floats, is_count: bool) -> float:
    """The spread of the sum of all these series and days."""
    variance = daily_variance(mean, quantiles, is_count).sum(dtype=np.float64)
    return float(np.sqrt(variance) / max(float(mean.sum(dtype=np.float64)), EPSILON))


def block_errors(
    actual: Floats, forecast: Floats, groups: Groups, days: int, is_count: bool
) -> tuple[Floats, Floats]:
    """Errors of sums over blocks of `days` days, as shares, and their spreads: [groups * blocks] twice.

    Days without an actual are left out; NaN = no such day.
    """
    known = ~np.isnan(actual)
    variance = daily_variance(forecast[..., 0], forecast[..., 1:], is_count)
    sold, expected, square = (
        _sum_blocks(np.where(known, values, 0), groups, days)
        for values in (actual, forecast[..., 0], variance)
    )
    least = np.maximum(expected, EPSILON)
    misses = np.where(expected > 0, sold / least - 1, np.nan)
    return misses.astype(np.float32), (np.sqrt(square) / least).astype(np.float32)


def _sum_blocks(values: Floats, groups: Groups, days: int) -> NDArray[np.float64]:
    """Sums over the rows of each group and over whole blocks of days: [groups * blocks]."""
    blocks = values.shape[1] // days
    rows = values[:, : blocks * days].reshape(len(values), blocks, days).sum(axis=2, dtype=np.float64)
    sizes = np.array([len(group) for group in groups], np.intp)
    sums: NDArray[np.float64] = np.add.reduceat(
        rows[np.concatenate(groups)], np.cumsum(sizes) - sizes, axis=0
    )
    return sums.ravel()


def fit_own_range(misses: Floats, spreads: Floats, levels: tuple[float, ...]) -> OwnRange | None:
    """The range whose ends hold these shares of the errors; None without errors.

    Few errors may all be small by luck: then the range holds the largest, and is no narrower than its spread.
    """
    known = ~np.isnan(misses) & (spreads > 0)
    misses, spreads = misses[known].astype(np.float64), spreads[known].astype(np.float64)
    if not misses.size:
        return None
    if misses.size < MIN_ERRORS:
        beyond = float(np.max((misses / Z_80) ** 2 - spreads**2))
        normal = tuple(NormalDist().inv_cdf(level) for level in levels)
        return OwnRange(float(np.sqrt(max(0.0, beyond))), normal)
    steps = [step * float(np.median(spreads)) for step in SHARED_STEPS]
    shared = min(steps, key=lambda step: _misfit(misses, np.hypot(step, spreads)))
    scores = misses / np.hypot(shared, spreads)
    # a little wider than asked: the quantiles of a few sums are themselves uncertain
    room = 0.4 / misses.size
    wider = [max(0.0, level - room) if level < 0.5 else min(1.0, level + room) for level in levels]
    ends = [float(np.quantile(scores, at)) for at in wider]
    # the mean lies inside every interval
    sided = (min(0.0, end) if level < 0.5 else max(0.0, end) for level, end in zip(levels, ends, strict=True))
    return OwnRange(shared, tuple(sided))


def _misfit(misses: NDArray[Any], widths: NDArray[Any]) -> float:
    """How badly errors of these widths explain the misses: the log likelihood of a Laplace, negative."""
    return float(np.log(max(EPSILON, np.mean(np.abs(misses) / widths))) + np.mean(np.log(widths)))


def fit_own_ranges(
    holdout: list[tuple[Floats, Floats]],
    kinds: dict[str, Groups],
    days: int,
    levels: tuple[float, ...],
    is_count: bool,
) -> dict[str, list[float]]:
    """The range of each kind of total for sums over `days` days; kinds without errors are left out.

    holdout: actual [S, H] and calibrated forecast [S, H, Q] of each window.
    """
    found: dict[str, list[float]] = {}
    if holdout[0][0].shape[1] < days:
        return found
    for kind, groups in kinds.items():
        pairs = [block_errors(actual, forecast, groups, days, is_count) for actual, forecast in holdout]
        misses, spreads = (np.concatenate(values) for values in zip(*pairs, strict=True))
        if own := fit_own_range(misses, spreads, levels):
            found[kind] = own.to_list()
    return found
