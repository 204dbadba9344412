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

from registry.algorithms import Batch, Config, Round, Sampler, Shape, knob, register
from registry.series.quantiles import LEVELS, MEDIAN
from registry.series.windows import AROUND, PROFILE

SHOWN = 20_000  # rows that draw the learning curve
ROWS_PER_SECOND = 8000  # so that some hundred trees fit into the time
RECENT = 14  # past days shown one by one
BINS = 8  # groups of forecasts whose misses are kept apart
GOALS: dict[str, dict[str, Any]] = {
    "mean": {"objective": "tweedie", "tweedie_variance_power": 1.3},
    "median": {"objective": "l1"},
}


@dataclass(frozen=True, kw_only=True)
class TreesConfig(Config):
    """Size of the forest."""

    steps: int = knob(400, "Trees at most.", 1, 5000)
    leaves: int = knob(63, "Leaves of each tree.", 4, 1024)
    rate: float = knob(0.1, "Learning rate.", 0.005, 0.5)
    rows: int = knob(250_000, "Days to learn from.", 1000, 5_000_000)


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
    edges: Tensor  # [BINS - 1] between sizes of forecasts
    misses: Tensor  # [BINS, Q - 1] miss of the logarithm at each level

    def __init__(self, config: TreesConfig, shape: Shape):
        super().__init__()
        self.config, self.block = config, shape.block
        for name in GOALS:
            self.register_buffer(name, torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("edges", torch.zeros(BINS - 1))
        self.register_buffer("misses", torch.zeros(BINS, len(LEVELS)))
        self._boosters: dict[str, Any] = {}

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[Round]:
        """Grows both forests on sampled windows, then measures misses on windows of their own."""
        import lightgbm

        rows = min(self.config.rows, len(sampler) * self.block, int(ROWS_PER_SECOND * seconds))
        x, y = self._table(sampler, rows)
        started, share = time.monotonic(), 1 / len(GOALS)
        for number, (name, goal) in enumerate(GOALS.items()):
            options = {"learning_rate": self.config.rate, "num_leaves": self.config.leaves, "verbose": -1}
            options |= {"min_data_in_leaf": 20, "feature_fraction": 0.4, "deterministic": True, "seed": 1}
            options |= {"max_bin": 127}
            options |= {"num_threads": torch.get_num_threads(), "bagging_fraction": 0.8, "bagging_freq": 1}
            data = lightgbm.Dataset(x, np.log1p(y) if name == "median" else y, free_raw_data=False)
            booster = lightgbm.Booster({**options, **goal}, data)
            for tree in range(self.config.steps):
                booster.update()
                done = (number + (tree + 1) / self.config.steps) * share
                if (tree + 1) % 20 == 0:
                    yield Round(done, _error(name, booster.predict(x[:SHOWN]), y[:SHOWN]))
                if time.monotonic() - started > seconds * share * (number + 1):
                    break
            text = booster.model_to_string().encode()
            setattr(self, name, torch.frombuffer(bytearray(text), dtype=torch.uint8))
        self._boosters.clear()
        self._measure(*self._table(sampler, rows // 5))

    def _table(self, sampler: Sampler, rows: int) -> tuple[Any, Any]:
        """Known days of random windows: features [N, F], sales [N]."""
        parts = [_known(sampler.draw(4096)) for _part in range(max(1, rows // (4096 * self.block)))]
        x, y = (np.concatenate(column) for column in zip(*parts, strict=True))
        return x, y.clip(min=0)

    def _measure(self, x: Any, y: Any) -> None:
        point = self._predict("median", x)
        edges = np.quantile(point, np.arange(1, BINS) / BINS)
        group = np.searchsorted(edges, point)
        for index in range(BINS):
            part = (np.log1p(y) - point)[group == index]
            spread = np.quantile(part, LEVELS) if part.size else np.zeros(len(LEVELS))
            self.misses[index] = torch.from_numpy(spread - spread[MEDIAN])
        self.edges.copy_(torch.from_numpy(edges))

    def _predict(self, name: str, x: Any) -> Any:
        import lightgbm

        if name not in self._boosters:
            text = bytes(getattr(self, name).numpy()).decode()
            self._boosters[name] = lightgbm.Booster(model_str=text)
        found = self._boosters[name].predict(x, num_threads=torch.get_num_threads())
        return found.astype(np.float32).clip(min=0)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        x = _features(batch).flatten(0, 1).numpy()
        mean, log = (torch.from_numpy(self._predict(name, x)).view(batch.base.shape) for name in GOALS)
        spread = torch.expm1(log[..., None] + self.misses[torch.searchsorted(self.edges, log.contiguous())])
        return torch.cat([mean[..., None], spread], dim=2) / batch.scale[:, None, None]


def _features(batch: Batch) -> Tensor:
    """[B, P, F]: one row per day ahead; sales in logs of units, since trees cannot multiply by the scale."""
    size, block = batch.base.shape
    day = torch.arange(block).float().expand(size, block)[..., None]
    scale = batch.scale[:, None]
    recent = torch.log1p((batch.recent[:, -RECENT:] * scale).clamp(min=0)).nan_to_num(-1)
    shared = torch.cat([batch.level, batch.static, batch.entity.float(), torch.log(scale), recent], dim=1)
    shared = shared[:, None].expand(-1, block, -1)
    near = batch.around.unfold(1, 1 + 2 * AROUND, 1).flatten(2)
    profile = torch.log1p((torch.sinh(batch.ahead[..., -PROFILE:]) * scale[..., None]).clamp(min=0))
    base = torch.log1p((batch.base * scale).clamp(min=0))[..., None]
    return torch.cat([day, base, batch.ahead, profile, near, shared], dim=2)


def _known(batch: Batch) -> tuple[Any, Any]:
    known = ~batch.target.isnan()
    return _features(batch)[known].numpy(), (batch.target * batch.scale[:, None])[known].numpy()


def _error(name: str, point: Any, y: Any) -> float:
    point = np.expm1(point) if name == "median" else point
    return float(np.abs(y - point).sum() / max(1e-9, y.sum()))
