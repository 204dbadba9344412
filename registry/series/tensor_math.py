"""Small functions of tensors that windows are made with."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from registry.series.quantiles import QUANTILE_LEVELS


def running_sums(values: Tensor, stride: int = 1) -> Tensor:
    """Sums of all earlier columns, or of those 1, 1 + stride, ... before: [S, D] -> [S, D + 1].

    >>> running_sums(torch.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[0.0, 1.0, 3.0, 6.0]]
    >>> running_sums(torch.tensor([[1.0, 2.0, 3.0]]), 2).tolist()
    [[0.0, 1.0, 2.0, 4.0]]
    """
    size, days = values.shape
    # rows of `stride` columns: a cumulative sum down the rows adds the same column of each
    padded = nn.functional.pad(values, (0, -days % stride)).view(size, -1, stride)
    return nn.functional.pad(padded.cumsum(dim=1).view(size, -1)[:, :days], (1, 0))


def zero_probability(quantiles: Tensor, unit: float) -> Tensor:
    """Probability of less than half a unit by the quantiles [..., Q - 1]: [...].

    >>> zero_probability(torch.tensor([[0.0, 0.0, 0.0, 0.2, 1.0, 2.0, 3.0], [5.0] * 7]), 1.0).tolist()
    [0.5, 0.0]
    """
    # as many quantiles as are below half a unit: the level of the last of them
    levels = torch.tensor([0.0, *QUANTILE_LEVELS])
    return levels[(quantiles < unit / 2).sum(dim=-1)]
