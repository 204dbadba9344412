"""Marginals: the distribution of each series and day, as a function of a normal score. Pure numpy.

The function is piecewise linear in the score through the calibrated quantiles, flat below the lowest and
with a tail above the highest. It is moved so that its mean is the published mean: sums of means and means of
sums then agree. In this form mean and slope have closed forms (Hermite coefficients of a hinge).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.quantiles import QUANTILE_LEVELS

_NORMAL = NormalDist()
LOWEST_SCORE = -2.8  # below which nothing is lower
KNOTS = np.array([LOWEST_SCORE, *(_NORMAL.inv_cdf(level) for level in QUANTILE_LEVELS)], np.float32)  # [8]
TAIL_GROWTH = 1.2  # slope above the highest quantile, as times that below it
MOST_STRETCH = 3.0  # of all quantiles towards the mean; what is missing then goes to the tail
GRID_POINTS = 64  # scores at which a variance is evaluated
EPSILON = 1e-9
# mean and slope of max(z - knot, 0) for a normal z
HINGE_MEANS = np.array([_NORMAL.pdf(k) - k * _NORMAL.cdf(-k) for k in KNOTS.tolist()])
HINGE_SLOPES = np.array([_NORMAL.cdf(-k) for k in KNOTS.tolist()])
GRID = np.array([_NORMAL.inv_cdf((i + 0.5) / GRID_POINTS) for i in range(GRID_POINTS)], np.float32)


@dataclass(frozen=True)
class Marginals:
    """units = lowest + sum of bends * max(score - KNOTS, 0); lowest [S, H], bends [S, H, 8]."""

    lowest: Floats
    bends: Floats
    is_count: bool  # units are whole

    @classmethod
    def build(cls, mean: Floats, quantiles: Floats, is_count: bool) -> Marginals:
        """The marginals of mean [S, H] and quantiles [S, H, Q - 1]."""
        steps = np.diff(quantiles, axis=2) / np.diff(KNOTS[1:])  # [S, H, 6]
        first = steps[..., :1]
        reach = KNOTS[1] - KNOTS[0]
        lowest = np.maximum(0, quantiles[..., 0] - reach * first[..., 0])
        first = (quantiles[..., :1] - lowest[..., None]) / reach
        slopes = np.concatenate([first, steps, TAIL_GROWTH * steps[..., -1:]], axis=2)  # [S, H, 8]
        bends = np.diff(slopes, axis=2, prepend=0)
        expected = lowest + bends @ HINGE_MEANS
        stretch = np.where(mean > 0, np.minimum(mean / np.maximum(expected, EPSILON), MOST_STRETCH), 0)
        bends *= stretch[..., None]
        lowest = lowest * stretch
        bends[..., -1] += np.maximum(0, mean - stretch * expected) / HINGE_MEANS[-1]
        return cls(lowest.astype(np.float32), bends.astype(np.float32), is_count)

    def select(self, rows: NDArray[np.intp] | slice) -> Marginals:
        """Only these series."""
        return Marginals(self.lowest[rows], self.bends[rows], self.is_count)

    def to_units(self, scores: Floats) -> Floats:
        """Units [S, H, N] of scores [S, H, N]; fractional also for counts."""
        units = np.repeat(self.lowest[..., None], scores.shape[2], axis=2)
        part = np.empty_like(units)
        for place, knot in enumerate(KNOTS):
            np.subtract(scores, knot, out=part)
            np.maximum(part, 0, out=part)
            part *= self.bends[..., place, None]
            units += part
        return units

    @property
    def slopes(self) -> Floats:
        """Units per score, on average over a normal score: what a small shared part moves: [S, H]."""
        slopes: Floats = (self.bends @ HINGE_SLOPES).astype(np.float32)
        return slopes

    @property
    def deviations(self) -> Floats:
        """The standard deviation of the units: [S, H]."""
        total, square = np.zeros_like(self.lowest), np.zeros_like(self.lowest)
        for score in GRID:
            units = self.lowest + self.bends @ np.maximum(score - KNOTS, 0)
            total += units
            # a fraction f becomes a whole unit with probability f, which adds f (1 - f)
            square += units**2 + ((units % 1) * (1 - units % 1) if self.is_count else 0)
        variance = square / GRID_POINTS - (total / GRID_POINTS) ** 2
        return np.sqrt(np.maximum(variance, 0))


def round_at_random(units: Floats, chances: Floats) -> Floats:
    """Whole units whose mean is that of the units; chances in [0, 1), as many as units. In place.

    >>> round_at_random(np.array([0.2, 2.7], np.float32), np.array([0.5, 0.5], np.float32)).tolist()
    [0.0, 3.0]
    """
    units += chances
    return np.floor(units, out=units)
