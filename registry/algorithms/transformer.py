"""Transformer: attention over weeks of past sales.

Vaswani et al., "Attention Is All You Need" (2017); patches as tokens after
Nie et al., "A Time Series is Worth 64 Words" (PatchTST, 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from registry.algorithms import NetworkConfig, knob, register
from registry.lib.errors import MessageError, gettext_noop
from registry.series.layers import Context, Head
from registry.series.windows import Batch, Shape

WEEK = 7


@dataclass(frozen=True, kw_only=True)
class TransformerConfig(NetworkConfig):
    """Size of the network."""

    past_days: int = knob(84, "Past sales the model looks at, in whole weeks.", 14, 728, "Days of history")
    batch: int = knob(128, "Windows in each training step.", 16, 4096, "Batch size")
    width: int = knob(64, "Features that describe each week.", 8, 512, "Width")
    layers: int = knob(2, "Number of attention layers.", 1, 8, "Layers")
    heads: int = knob(4, "The width is a multiple of it.", 1, 16, "Attention heads")
    dropout: float = knob(0.1, "Share of nodes switched off at random during training.", 0, 0.9, "Dropout")


@register(
    "transformer",
    "Transformer",
    "Compares weeks with each other; good with long histories.",
    TransformerConfig,
    turn=6,
)
class Transformer(nn.Module):
    """One token per past week and one for the days ahead, which attends to the others."""

    def __init__(self, config: TransformerConfig, shape: Shape):
        super().__init__()
        if config.width % config.heads:
            raise MessageError(
                gettext_noop("width {width} is not a multiple of heads {heads}: change one of them."),
                width=config.width,
                heads=config.heads,
            )
        self.week_count = shape.past_days // WEEK
        self.patch = nn.Linear(WEEK * shape.past, config.width)
        self.place = nn.Parameter(torch.randn(self.week_count, config.width) * 0.02)
        self.context = Context(shape)
        self.ask = nn.Linear(self.context.size, config.width)
        layer = nn.TransformerEncoderLayer(
            config.width,
            config.heads,
            2 * config.width,
            config.dropout,
            "gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(layer, config.layers, enable_nested_tensor=False)
        self.mix = nn.Sequential(
            nn.Linear(config.width + self.context.size, 128), nn.GELU(), nn.Linear(128, 128)
        )
        self.head = Head(128, shape)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        past = (
            batch.past[:, -self.week_count * WEEK :].unflatten(1, (self.week_count, WEEK)).flatten(2)
        )  # [B, weeks, 7C]
        context = self.context(batch)  # [B, N]
        # [B, weeks + 1, width]
        tokens = torch.cat([self.patch(past) + self.place, self.ask(context)[:, None]], dim=1)
        answer = self.encoder(tokens)[:, -1]  # [B, width]
        return self.head(self.mix(torch.cat([answer, context], dim=1)), batch)
