"""LSTM: reads the past days in order and remembers what matters.

Hochreiter & Schmidhuber, "Long Short-Term Memory" (1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import NetworkConfig, knob, register
from registry.series.layers import Context, Head
from registry.series.windows import Batch, Shape


@dataclass(frozen=True, kw_only=True)
class LSTMConfig(NetworkConfig):
    """Size of the network."""

    batch: int = knob(128, "Windows in each training step.", 16, 4096, "Batch size")
    width: int = knob(64, "Size of the memory state.", 8, 512, "Memory size")
    dense: int = knob(128, "Nodes in the layer that joins memory and calendar.", 8, 1024, "Dense layer")
    dropout: float = knob(0.1, "Share of nodes switched off at random during training.", 0, 0.9, "Dropout")


@register(
    "lstm",
    "LSTM",
    "Reads the days in order; good where the latest days count most.",
    LSTMConfig,
    turn=5,
)
class LSTM(nn.Module):
    """The memory after the last past day, joined with what is known of the days ahead."""

    def __init__(self, config: LSTMConfig, shape: Shape):
        super().__init__()
        self.memory = nn.LSTM(shape.past, config.width, batch_first=True)
        self.context = Context(shape)
        self.join = nn.Sequential(
            nn.Linear(config.width + self.context.size, config.dense),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.dense, config.dense),
            nn.GELU(),
        )
        self.head = Head(config.dense, shape)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        states, _last = self.memory(batch.past)  # [B, L, width]
        return self.head(self.join(torch.cat([states[:, -1], self.context(batch)], dim=1)), batch)
