"""Building blocks that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS
from registry.series.windows import AROUND, Batch, Shape

ENTITY_DROPOUT = 0.1  # share of entities hidden while learning, so that new ones can be forecast


class EntityEmbedding(nn.Module):
    """Learned vectors of series, store and product; unknown ones share vector 0."""

    def __init__(self, shape: Shape, width: int = 8):
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(count + 1, width) for count in shape.entities)
        for weight in self.tables.parameters():
            nn.init.normal_(weight, std=0.05)
        self.size = width * len(self.tables)

    def forward(self, entity: Tensor) -> Tensor:  # [B, 3] -> [B, size]
        if self.training:
            # [B, 3]; each index by itself becomes 0, the vector of the unknown
            entity = entity * (torch.rand(entity.shape) >= ENTITY_DROPOUT)
        return torch.cat([table(entity[:, i]) for i, table in enumerate(self.tables)], dim=1)


class Context(nn.Module):
    """Everything of a window except its past days, as one flat vector."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.entities = EntityEmbedding(shape)
        around = (shape.block + 2 * AROUND) * shape.around
        self.size = around + shape.block * shape.ahead + shape.level + shape.static + self.entities.size

    def forward(self, batch: Batch) -> Tensor:  # -> [B, size]
        parts = [batch.around.flatten(1), batch.ahead.flatten(1), batch.level, batch.static]
        return torch.cat([*parts, self.entities(batch.entity)], dim=1)


class Head(nn.Module):
    """From hidden features to mean and quantiles of each day, as deviations from the weekday's usual sales.

    The same layers decode every day ahead, from the network's output and the known covariates of that day.
    After Das et al., "Long-term Forecasting with TiDE: Time-series Dense Encoder" (2023).
    """

    def __init__(self, width: int, shape: Shape, day: int = 16, hidden: int = 64):
        super().__init__()
        self.days = nn.Linear(width, shape.block * day)
        self.block, self.outputs = shape.block, shape.outputs
        self.out = nn.Linear(width, shape.block * shape.outputs)
        # small and without bias: at first this path adds next to nothing to the usual sales (batch.base)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        near = (1 + 2 * AROUND) * shape.around
        self.decoder = nn.Sequential(
            nn.Linear(day + shape.ahead + near + shape.level, hidden),
            nn.GELU(),
            nn.Linear(hidden, shape.outputs),
        )

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:  # [B, width] -> [B, P, Q]
        day = self.days(hidden).unflatten(1, (self.block, -1))  # [B, P, day]
        near = batch.around.unfold(1, 1 + 2 * AROUND, 1).flatten(2)  # [B, P, 7 * K]
        level = batch.level[:, None].expand(-1, self.block, -1)  # [B, P, E]
        # [B, P, Q] deviation from base, the sum of two paths: one over the whole window, one day by day
        change = self.out(hidden).view(-1, self.block, self.outputs) + self.decoder(
            torch.cat([day, batch.ahead, near, level], dim=2)
        )
        # softplus(3x) / 3: never negative, nearly x above 1, and with a gradient below 0, unlike a clamp
        return nn.functional.softplus(3 * (batch.base[..., None] + change)) / 3


def residual_quantiles(batch: Batch, point: Tensor) -> tuple[Tensor, float]:
    """Error quantiles of a point forecast [B, P], less the median error: [Q - 1]; and its WAPE (or NaN)."""
    miss = batch.target - point  # [B, P], NaN where the target is unknown
    known = miss[~miss.isnan()]
    spread = (
        torch.quantile(known, torch.tensor(QUANTILE_LEVELS))
        if known.numel()
        else torch.zeros(len(QUANTILE_LEVELS))
    )
    size = float(batch.target.nansum())
    return spread - spread[MEDIAN_INDEX], float(known.abs().sum()) / size if size > 0 else float("nan")


# The names of release 0.1, for algorithm files outside this repository.
Entities, misses = EntityEmbedding, residual_quantiles
