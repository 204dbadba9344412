"""TCN: convolutions over the past days whose reach doubles with each layer.

Bai, Kolter & Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent Networks" (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import NetworkConfig, knob, register
from registry.series.layers import Context, Head
from registry.series.windows import Batch, Shape

KERNEL_SIZE = 3


@dataclass(frozen=True, kw_only=True)
class TCNConfig(NetworkConfig):
    """Size of the network."""

    width: int = knob(32, "Channels of each convolution.", 8, 256, "Channels")
    layers: int = knob(4, "Each looks twice as far back as the one before.", 1, 8, "Convolutions")
    dense: int = knob(128, "Nodes in the layer that joins past and calendar.", 8, 1024, "Dense layer")
    dropout: float = knob(0.1, "Share of nodes switched off at random during training.", 0, 0.9, "Dropout")


class CausalBlock(nn.Module):
    """A causal convolution with a shortcut."""

    def __init__(self, width: int, dilation: int):
        super().__init__()
        self.pad = (KERNEL_SIZE - 1) * dilation
        self.convolution = nn.Conv1d(width, width, KERNEL_SIZE, dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:  # [B, width, L] -> [B, width, L]
        return x + nn.functional.gelu(self.convolution(nn.functional.pad(x, (self.pad, 0))))


@register("tcn", "TCN", "Finds shapes of a few days to a few weeks; quick and steady.", TCNConfig, turn=4)
class TCN(nn.Module):
    """The last week of the convolutions and their mean, joined with what is known of the days ahead."""

    def __init__(self, config: TCNConfig, shape: Shape):
        super().__init__()
        self.entry = nn.Conv1d(shape.past, config.width, 1)
        self.steps = nn.Sequential(*(CausalBlock(config.width, 2**k) for k in range(config.layers)))
        self.context = Context(shape)
        self.join = nn.Sequential(
            nn.Linear(config.width * 8 + self.context.size, config.dense),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.dense, config.dense),
            nn.GELU(),
        )
        self.head = Head(config.dense, shape)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        columns = self.steps(self.entry(batch.past.transpose(1, 2)))  # [B, width, L]
        week = torch.cat([columns[..., -7:].flatten(1), columns.mean(dim=2)], dim=1)  # [B, 8 * width]
        return self.head(self.join(torch.cat([week, self.context(batch)], dim=1)), batch)
