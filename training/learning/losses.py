"""Losses: what a network minimises. Pure."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from registry.series.quantiles import QUANTILE_LEVELS
from registry.series.windows import Batch

MEAN_WEIGHT = 0.3  # of the loss of the mean beside that of the quantiles
WILD_SPREAD = 10.0  # spread of the sales at which the weight of the mean is halved


def mean_loss_weight(batch: Batch) -> float:
    """Weight of the mean in the loss: less where single orders are huge and would drown the quantiles."""
    usual = batch.base.clamp(min=0.05)
    spread = float(((batch.target - usual) ** 2 / usual).nanmean())
    return MEAN_WEIGHT / (1 + spread / WILD_SPREAD) if math.isfinite(spread) else MEAN_WEIGHT


def pinball_loss(error: Tensor) -> Tensor:
    """Pinball loss of errors [..., Q - 1], averaged over the quantile levels: [...]."""
    levels = torch.tensor(QUANTILE_LEVELS)
    return torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)


def forecast_loss(output: Tensor, batch: Batch, weight: float = MEAN_WEIGHT) -> Tensor:
    """Pinball loss of the quantiles plus `weight` x Poisson loss of the mean: output [B, P, Q], a scalar."""
    known = ~batch.target.isnan()
    target = batch.target.nan_to_num()
    quantiles = pinball_loss(target[..., None] - output[..., 1:])
    mean = output[..., 0].clamp(min=1e-4)
    # negative Poisson log likelihood without its constant: [B, P], least where mean = target
    poisson = mean - target * mean.log()
    return ((quantiles + weight * poisson) * known).sum() / known.sum().clamp(min=1)
