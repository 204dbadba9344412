"""TiDE: dense layers that encode the past and decode each day ahead with its known covariates.

Das et al., "Long-term Forecasting with TiDE: Time-series Dense Encoder" (2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from registry.algorithms import NetworkConfig, knob, register
from registry.series.layers import Context, Head
from registry.series.windows import Batch, Shape


@dataclass(frozen=True, kw_only=True)
class TiDEConfig(NetworkConfig):
    """Size of the network."""

    width: int = knob(192, "Nodes per layer of the encoder.", 8, 1024, "Width")
    layers: int = knob(2, "Layers of the encoder.", 1, 8, "Layers")
    day: int = knob(16, "Features that describe each day ahead.", 4, 128, "Day features")
    dropout: float = knob(0.1, "Share of nodes switched off at random during training.", 0, 0.9, "Dropout")


class ResidualBlock(nn.Module):
    """Dense, GELU, dense with a linear shortcut, normalised."""

    def __init__(self, inputs: int, outputs: int, dropout: float):
        super().__init__()
        self.curve = nn.Sequential(
            nn.Linear(inputs, outputs), nn.GELU(), nn.Linear(outputs, outputs), nn.Dropout(dropout)
        )
        self.line = nn.Linear(inputs, outputs)
        self.norm = nn.LayerNorm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.curve(x) + self.line(x))


@register(
    "tide",
    "TiDE",
    "Dense encoder that treats each day ahead by itself; good with promotions.",
    TiDEConfig,
    turn=3,
)
class TiDE(nn.Module):
    """An encoder of the whole window and a decoder of each day."""

    def __init__(self, config: TiDEConfig, shape: Shape):
        super().__init__()
        self.context = Context(shape)
        sizes = [shape.past_days * shape.past + self.context.size] + [config.width] * config.layers
        self.encoder = nn.Sequential(*(ResidualBlock(a, b, config.dropout) for a, b in pairwise(sizes)))
        self.head = Head(config.width, shape, config.day)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        hidden = self.encoder(torch.cat([batch.past.flatten(1), self.context(batch)], dim=1))  # [B, width]
        return self.head(hidden, batch)
