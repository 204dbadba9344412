"""Golden forecast: a few windows and the model's output for them after learning, stored in its bundle.

Replaying them shows whether a library or a change of the product has altered the numbers since.
"""

from __future__ import annotations

from dataclasses import fields

import torch
from torch import Tensor, nn

from registry.series.windows import Batch, Windows

SERIES_COUNT = 4
OUTPUT_KEY = "output"
TOLERANCE = 1e-4  # of the largest value: processors round differently


def record_golden(model: nn.Module, windows: Windows) -> dict[str, Tensor]:
    """The newest window of the first series, and the model's output for it, by field name."""
    rows = torch.arange(min(SERIES_COUNT, len(windows.entity)))
    batch = windows.cut_batch(rows, torch.full_like(rows, windows.panel.days))
    with torch.inference_mode():
        output = model.eval()(batch)
    kept = {field.name: getattr(batch, field.name).clone() for field in fields(Batch)}
    return kept | {OUTPUT_KEY: output.clone()}


def measure_drift(model: nn.Module, recorded: dict[str, Tensor]) -> float:
    """Largest difference of the replayed output, as a share of the largest recorded value."""
    batch = Batch(**{field.name: recorded[field.name] for field in fields(Batch)})
    with torch.inference_mode():
        off = (model.eval()(batch) - recorded[OUTPUT_KEY]).abs().max()
    return float(off / recorded[OUTPUT_KEY].abs().max().clamp(min=1e-9))
