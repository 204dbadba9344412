"""Base and plan drawn with the same random numbers, so that their difference is the plan's alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.prediction import Prediction

Rows = NDArray[np.intp]
Sums = NDArray[np.float64]
ENDS_80 = (0.1, 0.9)


@dataclass(frozen=True)
class PairedSums:
    """Paths of the sum of all rows by day [H, N], before and after; money [N]: what the plan earns more."""

    base: Sums
    plan: Sums
    money: Sums | None

    def range_of_days(self) -> NDArray[Any]:
        """Ends of the 80% range of the difference of each day: [2, H]."""
        return np.asarray(np.quantile(self.plan - self.base, ENDS_80, axis=1))

    def range_of_sum(self, expected: float) -> tuple[float, float]:
        """Ends of the 80% range of the difference in all; it holds what is expected."""
        return hold(expected, (self.plan - self.base).sum(axis=0))

    def range_of_money(self, expected: float) -> tuple[float, float]:
        """Ends of the 80% range of the money."""
        return hold(expected, np.zeros(1) if self.money is None else self.money)


def hold(expected: float, paths: Sums) -> tuple[float, float]:
    """The 80% range of the paths [N], widened to what is expected."""
    low, high = np.quantile(paths, ENDS_80)
    return min(expected, float(low)), max(expected, float(high))


def draw_pair(base: Prediction, plan: Prediction, changed: Rows, prices: tuple[Floats, Floats]) -> PairedSums:
    """Draws both for the same series; only the `changed` rows differ, so the others are drawn once.

    prices: [S, H] before and after, NaN = not known.
    """
    # both depend by the sizes of the base, or they would not be the same paths
    before, after = base.sampler(), replace(plan.sampler(), sizes=base.mean)
    others = np.setdiff1d(np.arange(len(base.keys)), changed)
    shape = (len(base.dates), before.count)
    shared = before.sum_groups([others])[0].astype(np.float64) if len(others) else np.zeros(shape)
    sums = [shared.copy(), shared.copy()]
    money, is_priced = np.zeros(before.count), False
    for part, units in before.draw_chunks(changed):
        then = after.draw(part)
        sums[0] += units.sum(axis=0, dtype=np.float64)
        sums[1] += then.sum(axis=0, dtype=np.float64)
        known = ~np.isnan(prices[0][part]).any(axis=1) & ~np.isnan(prices[1][part]).any(axis=1)
        if known.any():
            is_priced = True
            rows = part[known]
            money += np.einsum("rhn,rh->n", then[known], prices[1][rows], dtype=np.float64)
            money -= np.einsum("rhn,rh->n", units[known], prices[0][rows], dtype=np.float64)
    return PairedSums(sums[0], sums[1], money if is_priced else None)
