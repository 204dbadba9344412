"""Forecasts beyond one block: the mean of each block is fed back as if it had been sold."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from registry.series.covariates import Encoder
from registry.series.ended import find_ended
from registry.series.history import HiddenDays
from registry.series.level_shift import find_level_shifts
from registry.series.panel import Floats, Panel
from registry.series.quantiles import OUTPUT_COUNT
from registry.series.windows import Windows

CHUNK_WINDOWS = 4096  # windows per call of the model, to bound memory


def roll_forward(model: nn.Module, windows: Windows, horizon: int) -> Floats:
    """Mean and quantiles of the days after the panel: [S, horizon, Q], sorted, >= 0, 0 on closed days."""
    size, block, first = len(windows.entity), windows.block, windows.panel.days
    # [S, whole blocks, Q], cut to the horizon at the end
    result = torch.zeros(size, -(-horizon // block) * block, OUTPUT_COUNT)
    shifts = find_shifts(model, windows)
    model.eval()
    with torch.inference_mode():
        for start in range(0, horizon, block):
            for low in range(0, size, CHUNK_WINDOWS):
                rows = torch.arange(low, min(size, low + CHUNK_WINDOWS))
                hidden = hide_before(shifts[rows]) if shifts is not None else None
                batch = windows.cut_batch(rows, torch.full_like(rows, first + start), hidden)
                raw = model(batch) * batch.scale[:, None, None]  # [rows, P, Q] in units
                result[rows, start : start + block] = _clean_outputs(raw, batch.closed, windows.bounds[rows])
            windows.append_forecast(first + start, result[:, start : start + block])
    if windows.tells_unknown:
        ended = find_ended(windows.panel.open_sales)
        result[torch.from_numpy(ended), :, :-1] = 0.0  # the highest quantile stays: it may come back
    return np.asarray(result[:, :horizon].numpy())


def find_shifts(model: nn.Module, windows: Windows) -> torch.Tensor | None:
    """The column since which each series sells on a new level, 0 = none: [S]; None if nothing is hidden.

    Only a model that learned with hidden days knows what to do without the days before: a network, and not a
    module with a `fit` of its own.
    """
    if not windows.tells_unknown or callable(getattr(model, "fit", None)):
        return None
    shifts = find_level_shifts(windows.panel.own_sales, windows.unit)
    return torch.from_numpy(shifts) if shifts.any() else None


def hide_before(columns: torch.Tensor) -> HiddenDays:
    """Hides all sales before these columns [B]."""
    nothing, never = torch.zeros_like(columns), torch.iinfo(columns.dtype).max
    return HiddenDays(nothing, columns, nothing.bool(), torch.full_like(columns, never))


def _clean_outputs(raw: torch.Tensor, closed: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """The outputs [B, P, Q] in [0, bounds [B]] with sorted quantiles, 0 on closed days and for NaN."""
    raw = torch.minimum(raw.nan_to_num(0.0, posinf=torch.inf, neginf=0.0).clamp(min=0), bounds[:, None, None])
    raw = raw.nan_to_num(0.0, posinf=0.0)  # infinite without a bound
    quantiles = raw[..., 1:].sort(dim=2).values
    return torch.cat([raw[..., :1], quantiles], dim=2).masked_fill(closed[..., None], 0.0)


def has_reached_bounds(forecast: Floats, windows: Windows) -> bool:
    """Whether the mean of any series and day of a forecast [S, H, Q] had to be cut to its bound."""
    return bool((forecast[..., 0] >= windows.bounds.numpy()[:, None]).any())


def build_windows(panel: Panel, encoder: Encoder, sizes: list[tuple[int, int]], horizon: int) -> Windows:
    """Windows that reach far enough ahead for all models with these (past_days, block).

    The models may use the same tables one after the other: none reads a day ahead that it has not written.
    """
    past_days, block = (max(column) for column in zip(*sizes, strict=True))
    ahead = max(-(-horizon // block) * block for _past_days, block in sizes)
    return Windows(panel, encoder, past_days, block, ahead)


def forecast_panel(
    model: nn.Module, panel: Panel, encoder: Encoder, sizes: tuple[int, int, int]
) -> tuple[Floats, Windows]:
    """Forecast [S, horizon, Q] after the last day, and its windows; sizes = past_days, block, horizon."""
    past_days, block, horizon = sizes
    windows = build_windows(panel, encoder, [(past_days, block)], horizon)
    return roll_forward(model, windows, horizon), windows
