"""Trees: gradient-boosted trees on the same windows and covariates as the networks.

Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree" (2017).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from registry.algorithms import Config, Round, Sampler, knob, register
from registry.series.boosting import GOALS, Forest, Rows
from registry.series.quantiles import LEVELS, MEDIAN
from registry.series.windows import AROUND, PROFILE, Batch, Shape

ROWS_PER_SECOND = 10_000  # and thread, so that some hundred trees fit into the time
RECENT = 14  # past days shown one by one
BINS = 8  # groups of forecasts whose misses are kept apart


@dataclass(frozen=True, kw_only=True)
class TreesConfig(Config):
    """Size of the forest."""

    steps: int = knob(300, "Trees at most.", 1, 5000)
    leaves: int = knob(63, "Leaves of each tree.", 4, 1024)
    rate: float = knob(0.1, "Learning rate.", 0.005, 0.5)
    rows: int = knob(500_000, "Days to learn from.", 1000, 5_000_000)


@register(
    "trees",
    "Boosted trees",
    "Many small decision trees; strong with promotions and prices.",
    TreesConfig,
    turn=1,
)
class Trees(nn.Module):
    """One forest for the mean and one for the median; quantiles from the misses of forecasts of like size."""

    mean: Tensor  # the forest as LightGBM's text, in bytes
    median: Tensor
    useful: Tensor  # [2] trees of each forest after which it got no better on check days; 0 = not known
    edges: Tensor  # [BINS - 1] between sizes of forecasts
    misses: Tensor  # [BINS, Q - 1] miss of the logarithm at each level

    def __init__(self, config: TreesConfig, shape: Shape):
        super().__init__()
        self.config, self.block = config, shape.block
        for name in GOALS:
            self.register_buffer(name, torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("useful", torch.zeros(len(GOALS), dtype=torch.int64))
        self.register_buffer("edges", torch.zeros(BINS - 1))
        self.register_buffer("misses", torch.zeros(BINS, len(LEVELS)))
        self._boosters: dict[str, Any] = {}

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[Round]:
        """Grows both forests on sampled windows, then measures misses on windows that neither has seen."""
        per_second = ROWS_PER_SECOND * torch.get_num_threads() ** 0.5
        rows = min(self.config.rows, len(sampler) * self.block, int(per_second * seconds))
        learned = self._table(sampler, rows)
        check = None if sampler.check is None else _known(sampler.check)
        started, share = time.monotonic(), 1 / len(GOALS)
        for number, (name, goal) in enumerate(GOALS.items()):
            options = {"learning_rate": self.config.rate, "num_leaves": self.config.leaves}
            trees = 0 if check is not None else int(self.useful[number])
            forest = Forest(goal, options, trees or self.config.steps)
            until = started + seconds * share * (number + 1)
            for done, error, held in forest.grow(learned, check, until):
                yield Round((number + done) * share, error, held)
            self.useful[number] = forest.useful
            setattr(self, name, torch.frombuffer(bytearray(forest.text), dtype=torch.uint8))
        self._boosters.clear()
        if check is not None or not self.misses.any():
            self._measure(check or self._table(sampler, rows // 5))

    def _table(self, sampler: Sampler, rows: int) -> Rows:
        """Known days of random windows."""
        parts = [_known(sampler.draw(4096)) for _part in range(max(1, rows // (4096 * self.block)))]
        return Rows(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))

    def _measure(self, rows: Rows) -> None:
        point = self._scores("median", rows.x)
        edges = np.quantile(point, np.arange(1, BINS) / BINS)
        group = np.searchsorted(edges, point)
        for index in range(BINS):
            part = (np.log1p(rows.y) - point)[group == index]
            spread = np.quantile(part, LEVELS) if part.size else np.zeros(len(LEVELS))
            self.misses[index] = torch.from_numpy(spread - spread[MEDIAN])
        self.edges.copy_(torch.from_numpy(edges))

    def _scores(self, name: str, x: Any) -> Any:
        """What the forest of that name says of days with features [N, F]: [N]."""
        import lightgbm

        if name not in self._boosters:
            text = bytes(getattr(self, name).numpy()).decode()
            self._boosters[name] = lightgbm.Booster(model_str=text)
        found = self._boosters[name].predict(x, num_threads=torch.get_num_threads(), raw_score=True)
        return (found + GOALS[name].start(x)).astype(np.float32)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        x = _features(batch).flatten(0, 1).numpy()
        mean, log = (torch.from_numpy(self._scores(name, x)).view(batch.base.shape) for name in GOALS)
        spread = torch.expm1(log[..., None] + self.misses[torch.searchsorted(self.edges, log.contiguous())])
        return torch.cat([mean.exp()[..., None], spread], dim=2) / batch.scale[:, None, None]


def _features(batch: Batch) -> Tensor:
    """[B, P, F]: one row per day ahead; sales in logs of units, since trees cannot multiply by the scale.

    The usual sales come first, as Rows wants them.
    """
    size, block = batch.base.shape
    day = torch.arange(block).float().expand(size, block)[..., None]
    scale = batch.scale[:, None]
    recent = torch.log1p((batch.recent[:, -RECENT:] * scale).clamp(min=0)).nan_to_num(-1)
    shared = torch.cat([batch.level, batch.static, batch.entity.float(), torch.log(scale), recent], dim=1)
    shared = shared[:, None].expand(-1, block, -1)
    near = batch.around.unfold(1, 1 + 2 * AROUND, 1).flatten(2)
    profile = torch.log1p((torch.sinh(batch.ahead[..., -PROFILE:]) * scale[..., None]).clamp(min=0))
    base = torch.log1p((batch.base * scale).clamp(min=0))[..., None]
    return torch.cat([base, day, batch.ahead, profile, near, shared], dim=2)


def _known(batch: Batch) -> Rows:
    known = ~batch.target.isnan()
    sales = (batch.target * batch.scale[:, None])[known].clamp(min=0)
    return Rows(_features(batch)[known].numpy(), sales.numpy())
