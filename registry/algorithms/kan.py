"""KAN: a network whose edges learn curves instead of weights.

Liu et al., "KAN: Kolmogorov-Arnold Networks" (2024); curves as sums of Gaussian bumps after
Li, "Kolmogorov-Arnold Networks are Radial Basis Function Networks" (2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import NetworkConfig, knob, register
from registry.series.layers import Context, Head
from registry.series.windows import Batch, Shape


@dataclass(frozen=True, kw_only=True)
class KANConfig(NetworkConfig):
    """Size of the network."""

    width: int = knob(128, "Nodes per layer.", 8, 1024, "Width")
    layers: int = knob(3, "Number of layers.", 1, 8, "Layers")
    bumps: int = knob(4, "Basis functions of each curve.", 2, 16, "Basis functions")
    dropout: float = knob(0.1, "Share of nodes switched off at random during training.", 0, 0.9, "Dropout")


class CurveLayer(nn.Module):
    """N inputs to M outputs, a curve for each pair: a line in SiLU(x) plus bumps on [-2, 2]."""

    centres: Tensor  # [bumps]

    def __init__(self, inputs: int, outputs: int, bumps: int):
        super().__init__()
        self.norm = nn.LayerNorm(inputs)
        self.register_buffer("centres", torch.linspace(-2, 2, bumps))
        self.spacing = 4 / (bumps - 1)
        self.curves = nn.Linear(inputs * bumps, outputs, bias=False)
        self.line = nn.Linear(inputs, outputs)
        nn.init.normal_(self.curves.weight, std=0.3 * (inputs * bumps) ** -0.5)

    def forward(self, x: Tensor) -> Tensor:  # [B, N] -> [B, M]
        x = self.norm(x)  # into [-2, 2], where the bumps are
        bumps = torch.exp(-(((x[..., None] - self.centres) / self.spacing) ** 2))  # [B, N, bumps]
        return self.line(nn.functional.silu(x)) + self.curves(bumps.flatten(1))


@register("kan", "KAN", "Learns a curve for every input; accurate and quick on most sales.", KANConfig)
class KAN(nn.Module):
    """The whole window, flattened, through curve layers."""

    def __init__(self, config: KANConfig, shape: Shape):
        super().__init__()
        self.context = Context(shape)
        self.entry = nn.Linear(shape.past_days * shape.past + self.context.size, config.width)
        self.layers = nn.ModuleList(
            CurveLayer(config.width, config.width, config.bumps) for _ in range(config.layers)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = Head(config.width, shape)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        hidden = self.entry(torch.cat([batch.past.flatten(1), self.context(batch)], dim=1))  # [B, width]
        for layer in self.layers:
            hidden = hidden + self.dropout(layer(hidden))
        return self.head(hidden, batch)
