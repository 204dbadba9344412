"""Forecasts beyond one block: each block's mean is fed back as if it had been sold."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from registry.series.covariates import Encoder
from registry.series.panel import Floats, Panel
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.windows import Windows

CHUNK_WINDOWS = 4096  # windows at a time, to bound memory


def roll_forward(model: nn.Module, windows: Windows, horizon: int) -> Floats:
    """Mean and quantiles of the days after the panel: [S, horizon, Q], sorted, >= 0, closed days 0."""
    size, block, first = len(windows.entity), windows.block, windows.panel.days
    result = torch.zeros(size, -(-horizon // block) * block, OUTPUT_COUNT)
    model.eval()
    with torch.inference_mode():
        for start in range(0, horizon, block):
            for low in range(0, size, CHUNK_WINDOWS):
                rows = torch.arange(low, min(size, low + CHUNK_WINDOWS))
                batch = windows.cut_batch(rows, torch.full_like(rows, first + start))
                raw = model(batch) * batch.scale[:, None, None]
                result[rows, start : start + block] = _clean_outputs(raw, batch.closed)
            windows.append_forecast(first + start, result[:, start : start + block])
    return np.asarray(result[:, :horizon].numpy())


def _clean_outputs(raw: torch.Tensor, closed: torch.Tensor) -> torch.Tensor:
    """Quantiles sorted, nothing negative, nothing on closed days; not-a-number becomes 0."""
    raw = raw.nan_to_num(0.0, posinf=0.0, neginf=0.0).clamp(min=0)
    quantiles = raw[..., 1:].sort(dim=2).values
    return torch.cat([raw[..., :1], quantiles], dim=2).masked_fill(closed[..., None], 0.0)


def build_windows(panel: Panel, encoder: Encoder, sizes: list[tuple[int, int]], horizon: int) -> Windows:
    """Windows that reach far enough ahead for all models of these (past_days, block).

    The models may roll one after the other through the same tables: none reads a day ahead that it has not
    written before.
    """
    past_days, block = (max(column) for column in zip(*sizes, strict=True))
    ahead = max(-(-horizon // block) * block for _past_days, block in sizes)
    return Windows(panel, encoder, past_days, block, ahead)


def forecast_panel(
    model: nn.Module, panel: Panel, encoder: Encoder, sizes: tuple[int, int, int]
) -> tuple[Floats, Windows]:
    """Rolls `horizon` days on from the panel's last day; frame = (past_days, block, horizon)."""
    past_days, block, horizon = sizes
    windows = build_windows(panel, encoder, [(past_days, block)], horizon)
    return roll_forward(model, windows, horizon), windows
