"""Whether ranges hold what they promise, with a band for chance by a block bootstrap over weeks. No Django.

Errors of one week go together, and those of weeks in a row: blocks of weeks are drawn, not days
(Kunsch, "The Jackknife and the Bootstrap for General Stationary Observations", 1989).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCK_WEEKS = 4  # a forecast covers as many, so its errors last as long
MIN_WEEKS = 4
DRAWS, SEED = 2000, 20
CHANCE = (0.025, 0.975)


@dataclass(frozen=True)
class RealisedShare:
    """A promised share, the share that came true, its band by chance (None: too few weeks), and the count."""

    promised: float
    share: float
    band: tuple[float, float] | None
    count: int

    @property
    def verdict(self) -> str:
        """Whether it is "narrow", "wide" or "kept", beyond chance; empty without a band.

        >>> RealisedShare(0.8, 0.7, (0.65, 0.75), 100).verdict
        'narrow'
        """
        if self.band is None:
            return ""
        low, high = self.band
        return "narrow" if high < self.promised else "wide" if low > self.promised else "kept"


def measure_share(promised: float, inside: Sequence[float], counts: Sequence[float]) -> RealisedShare | None:
    """The share of values inside, of weeks in order [W]; None without any value.

    >>> measure_share(0.8, [8, 8, 8, 8], [10, 10, 10, 10])
    RealisedShare(promised=0.8, share=0.8, band=(0.8, 0.8), count=40)
    """
    hits, total = np.asarray(inside, float), np.asarray(counts, float)
    if not total.sum():
        return None
    share = float(hits.sum() / total.sum())
    band = None
    if len(hits) >= MIN_WEEKS:
        length = min(BLOCK_WEEKS, len(hits) // 2)
        blocks = -(-len(hits) // length)
        starts = np.random.default_rng(SEED).integers(0, len(hits), (DRAWS, blocks, 1))
        weeks = ((starts + np.arange(length)) % len(hits)).reshape(DRAWS, -1)[:, : len(hits)]
        shares = hits[weeks].sum(axis=1) / np.maximum(total[weeks].sum(axis=1), 1e-12)
        low, high = np.quantile(shares, CHANCE)
        band = (float(low), float(high))
    return RealisedShare(promised, share, band, round(float(total.sum())))
