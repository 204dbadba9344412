"""Hiding: gaps in the past of learning windows, so that networks know what to do without recent days.

Stores close for months and open again, products are new, and past covariates end at the origin while a
forecast goes on for weeks. Windows that end in recorded days alone would never show any of this.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from registry.series.history import HiddenDays
from registry.series.windows import Windows

GAP_SHARE = 0.08  # of the windows that lose a stretch of days
YOUNG_SHARE = 0.3  # of these, that lose all days but the newest: a new series
CLOSURE_SHARE = 0.5  # of the other gaps, that are shown as a closed store
NO_COVARIATES_SHARE = 0.5  # of the windows, whose past covariates end before the origin
GAP_DAYS = (14, 365)  # shortest and longest gap
YOUNG_DAYS = (7, 56)  # days that a series made young keeps
MIN_KEPT_DAYS = 7  # recorded days without which a window is left as it is
RESUMED_DAYS = 28  # days since the end of a gap, at most


@dataclass(frozen=True)
class Hiding:
    """Draws what to hide; a forecast of `horizon` days is the farthest a past covariate can be missing."""

    horizon: int

    def draw(self, windows: Windows, rows: Tensor, at: Tensor, generator: Generator) -> HiddenDays:
        """Hidden days of the windows at the columns `at` [B] of the series `rows` [B], by chance."""
        # [8, B] one row for each choice below
        chance = torch.rand(8, len(rows), generator=generator, dtype=torch.float64)
        days = (GAP_DAYS[0] * (GAP_DAYS[1] / GAP_DAYS[0]) ** chance[0]).long()  # many short, few long gaps
        resumed = ((2 * chance[1] - 1).clamp(min=0) * (RESUMED_DAYS + 1)).long()  # half of them: not yet
        end = (at - resumed).clamp(min=0)
        start = (end - days).clamp(min=0)
        is_young = chance[2] < YOUNG_SHARE
        kept = YOUNG_DAYS[0] + ((YOUNG_DAYS[1] - YOUNG_DAYS[0]) * chance[3]).long()
        start = torch.where(is_young, 0, start)
        end = torch.where(is_young, (at - kept).clamp(min=0), end)
        chosen = (chance[4] < GAP_SHARE) & (count_kept(windows, rows, at, start, end) >= MIN_KEPT_DAYS)
        return HiddenDays(
            start=torch.where(chosen, start, 0),
            end=torch.where(chosen, end, 0),
            is_closure=chosen & ~is_young & (chance[5] < CLOSURE_SHARE),
            covariates_end=at - self._covariate_lag(windows.block, chance[6], chance[7]),
        )

    def _covariate_lag(self, block: int, chance: Tensor, pick: Tensor) -> Tensor:
        """Days before the origin on which past covariates are not known: 0 or a number of blocks: [B]."""
        blocks = max(0, math.ceil(self.horizon / block) - 1)
        lag = block * (1 + (pick * blocks).long().clamp(max=max(0, blocks - 1)))
        return torch.where((chance < NO_COVARIATES_SHARE) & (blocks > 0), lag, 0)


def count_kept(windows: Windows, rows: Tensor, at: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Recorded days before `at` that are not in [start, end): [B]."""
    count = windows.history.count
    return count[rows, at] - (count[rows, end] - count[rows, start])
