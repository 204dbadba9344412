"""Building blocks that several networks share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS
from registry.series.windows import AROUND, Batch, Shape

ENTITY_DROPOUT = 0.1  # share of entities shown as unknown while learning, so that new ones can be forecast


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
            entity = entity * (torch.rand(entity.shape) >= ENTITY_DROPOUT)
        return torch.cat([table(entity[:, i]) for i, table in enumerate(self.tables)], dim=1)


class Context(nn.Module):
    """Everything of a window but its past days, as one flat vector."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.entities = EntityEmbedding(shape)
        around = (shape.block + 2 * AROUND) * shape.around
        self.size = around + shape.block * shape.ahead + shape.level + shape.static + self.entities.size

    def forward(self, batch: Batch) -> Tensor:  # -> [B, size]
        parts = [batch.around.flatten(1), batch.ahead.flatten(1), batch.level, batch.static]
        return torch.cat([*parts, self.entities(batch.entity)], dim=1)


class Head(nn.Module):
    """From hidden features to mean and quantiles, day by day, as deviations from the weekday's usual sales.

    Each day ahead is decoded by the same layers from what the network says of it and what is known of it.
    After Das et al., "Long-term Forecasting with TiDE: Time-series Dense Encoder" (2023).
    """

    def __init__(self, width: int, shape: Shape, day: int = 16, hidden: int = 64):
        super().__init__()
        self.days = nn.Linear(width, shape.block * day)
        self.block, self.outputs = shape.block, shape.outputs
        self.out = nn.Linear(width, shape.block * shape.outputs)
        nn.init.normal_(self.out.weight, std=0.01)
        nn.init.zeros_(self.out.bias)
        near = (1 + 2 * AROUND) * shape.around
        self.decoder = nn.Sequential(
            nn.Linear(day + shape.ahead + near + shape.level, hidden),
            nn.GELU(),
            nn.Linear(hidden, shape.outputs),
        )

    def forward(self, hidden: Tensor, batch: Batch) -> Tensor:  # [B, width] -> [B, P, Q]
        day = self.days(hidden).unflatten(1, (self.block, -1))
        near = batch.around.unfold(1, 1 + 2 * AROUND, 1).flatten(2)  # [B, P, K * 7]
        level = batch.level[:, None].expand(-1, self.block, -1)
        change = self.out(hidden).view(-1, self.block, self.outputs) + self.decoder(
            torch.cat([day, batch.ahead, near, level], dim=2)
        )
        return nn.functional.softplus(3 * (batch.base[..., None] + change)) / 3


def residual_quantiles(batch: Batch, point: Tensor) -> tuple[Tensor, float]:
    """Misses of a point forecast [B, P] at each level, from the middle one: [Q - 1]; and its WAPE."""
    miss = batch.target - point
    known = miss[~miss.isnan()]
    spread = (
        torch.quantile(known, torch.tensor(QUANTILE_LEVELS))
        if known.numel()
        else torch.zeros(len(QUANTILE_LEVELS))
    )
    size = float(batch.target.nansum())
    return spread - spread[MEDIAN_INDEX], float(known.abs().sum()) / size if size > 0 else 0.0


# The names of release 0.1, for algorithm files outside of this repository.
Entities, misses = EntityEmbedding, residual_quantiles
