"""Seasonal naive: repeats the same weekday of last week. The baseline that a model has to beat.

Hyndman & Athanasopoulos, Forecasting: Principles and Practice (3rd ed.), section 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import Config, FitProgress, Sampler, knob, register
from registry.series.layers import residual_quantiles
from registry.series.quantiles import QUANTILE_LEVELS
from registry.series.windows import Batch, Shape

WEEK = 7
SAMPLE_WINDOWS = 4096


@dataclass(frozen=True, kw_only=True)
class SeasonalNaiveConfig(Config):
    """Nothing to learn but the usual error."""

    past_days: int = knob(28, "Days of past sales the model looks at.", 14, 728, "Days of history")
    block: int = knob(7, "Days forecast at once, then fed back.", 7, 7, "Days per step")


@register(
    "seasonal_naive",
    "Seasonal naive",
    "Repeats last week; the yardstick for all others.",
    SeasonalNaiveConfig,
    turn=0,
)
class SeasonalNaive(nn.Module):
    """Last week, with the quantiles of its past errors."""

    offsets: Tensor  # [Q - 1] error over scale at each quantile level

    def __init__(self, config: SeasonalNaiveConfig, shape: Shape):
        super().__init__()
        self.register_buffer("offsets", torch.zeros(len(QUANTILE_LEVELS)))

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[FitProgress]:
        """Measures the errors of some past windows."""
        batch = sampler.draw(SAMPLE_WINDOWS)
        offsets, error = residual_quantiles(batch, copy_last_week(batch))
        self.offsets.copy_(offsets)
        yield FitProgress(1.0, error)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        point = copy_last_week(batch)[..., None]
        return torch.cat([point, (point + self.offsets).clamp(min=0)], dim=2)


def copy_last_week(batch: Batch) -> Tensor:
    """[B, P]: the day a week before, or the weekday's usual sales where it is unknown or was closed."""
    value = batch.recent[:, -WEEK:]  # [B, 7]; the block is a week, so P = 7
    return torch.where(value.isnan(), batch.base, value)
