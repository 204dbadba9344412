"""Trees: gradient-boosted trees on the windows and covariates of the networks.

Ke et al., "LightGBM: A Highly Efficient Gradient Boosting Decision Tree" (2017).
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from registry.algorithms import Config, FitProgress, Sampler, knob, register
from registry.series.boosting import (
    OBJECTIVES,
    Forest,
    Rows,
    build_features,
    build_known_rows,
    place_directions,
    relate_days,
)
from registry.series.quantiles import MEDIAN_INDEX, QUANTILE_LEVELS
from registry.series.windows import Batch, Shape

ROWS_PER_SECOND = 10_000  # times the root of threads, so that some hundred trees fit into the time
GROWING_ORDER = ("median", "mean")  # the error that pages show is that of the median
SIZE_BINS = 8  # sizes of forecasts whose errors are measured separately


@dataclass(frozen=True, kw_only=True)
class TreesConfig(Config):
    """Size of the forest."""

    steps: int = knob(300, "Number of trees at most.", 1, 5000, "Trees")
    leaves: int = knob(63, "Leaves of each tree.", 4, 1024, "Leaves")
    rate: float = knob(0.1, "Share of each tree in the result.", 0.005, 0.5, "Learning rate")
    rows: int = knob(500_000, "Rows sampled for training.", 1000, 5_000_000, "Training rows")


@register(
    "trees",
    "Boosted trees",
    "Many small decision trees; strong with promotions and prices.",
    TreesConfig,
    turn=1,
)
class Trees(nn.Module):
    """One forest for the mean, one for the median; quantiles from the errors of forecasts of like size."""

    mean: Tensor  # the forest as LightGBM's text, in bytes
    median: Tensor
    useful: Tensor  # [2] best number of trees of each forest on check days; 0 = not known
    edges: Tensor  # [SIZE_BINS - 1] between sizes of forecasts
    misses: Tensor  # [SIZE_BINS, Q - 1] error of the logarithm at each quantile level

    def __init__(self, config: TreesConfig, shape: Shape):
        super().__init__()
        self.config, self.block, self.calendar_size = config, shape.block, shape.ahead
        for name in OBJECTIVES:
            self.register_buffer(name, torch.zeros(0, dtype=torch.uint8))
        self.register_buffer("useful", torch.zeros(len(OBJECTIVES), dtype=torch.int64))
        self.register_buffer("edges", torch.zeros(SIZE_BINS - 1))
        self.register_buffer("misses", torch.zeros(SIZE_BINS, len(QUANTILE_LEVELS)))
        self._boosters: dict[str, Any] = {}

    def fit(self, sampler: Sampler, seconds: float) -> Iterator[FitProgress]:
        """Grows both forests on sampled windows, then measures errors on windows that neither has seen."""
        per_second = ROWS_PER_SECOND * torch.get_num_threads() ** 0.5
        rows = min(self.config.rows, len(sampler) * self.block, int(per_second * seconds))
        pushes = place_directions(sampler.directions, self.calendar_size)
        learned = self._sample_rows(sampler, rows, pushes)
        check = None if sampler.check is None else build_known_rows(sampler.check, pushes)
        started, share = time.monotonic(), 1 / len(OBJECTIVES)
        errors: tuple[float, float | None] = (math.nan, None)  # of the median, on learning and check days
        for turn, name in enumerate(GROWING_ORDER):
            number = list(OBJECTIVES).index(name)
            options = {"learning_rate": self.config.rate, "num_leaves": self.config.leaves}
            trees = 0 if check is not None else int(self.useful[number])
            forest = Forest(OBJECTIVES[name], options, trees or self.config.steps, pushes)
            until = started + seconds * share * (turn + 1)
            for done, error, held in forest.grow_trees(learned, check, until):
                errors = (error, held) if name == "median" else errors
                yield FitProgress((turn + done) * share, *errors)
            self.useful[number] = forest.best_tree_count
            setattr(self, name, torch.frombuffer(bytearray(forest.model_text), dtype=torch.uint8))
        self._boosters.clear()
        if check is not None or not self.misses.any():
            self._measure_misses(check or self._sample_rows(sampler, rows // 5, pushes))

    def _sample_rows(self, sampler: Sampler, rows: int, pushes: dict[int, int]) -> Rows:
        """Known days of random windows, about `rows` of them."""
        draws = max(1, rows // (4096 * self.block))
        parts = [build_known_rows(sampler.draw(4096), pushes) for _draw in range(draws)]
        return Rows(np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))

    def _measure_misses(self, rows: Rows) -> None:
        """Error quantiles of the median's logarithm in each bin, less the median error."""
        point = self._predict_scores("median", rows.x)
        edges = np.quantile(point, np.arange(1, SIZE_BINS) / SIZE_BINS)
        group = np.searchsorted(edges, point)  # [N] bins, equally full, since edges are quantiles
        for index in range(SIZE_BINS):
            part = (np.log1p(rows.y) - point)[group == index]
            spread = np.quantile(part, QUANTILE_LEVELS) if part.size else np.zeros(len(QUANTILE_LEVELS))
            self.misses[index] = torch.from_numpy(spread - spread[MEDIAN_INDEX])
        self.edges.copy_(torch.from_numpy(edges))

    def _load_forest(self, name: str) -> Any:
        import lightgbm

        if name not in self._boosters:
            text = bytes(getattr(self, name).numpy()).decode()
            self._boosters[name] = lightgbm.Booster(model_str=text)
        return self._boosters[name]

    def _find_pushes(self) -> dict[int, int]:
        """Feature -> direction, as the mean was grown with; forests of earlier releases have none."""
        given = self._load_forest("mean").params.get("monotone_constraints") or []
        return {place: direction for place, direction in enumerate(given) if direction}

    def _predict_scores(self, name: str, x: Any) -> Any:
        """Scores of a forest for features [N, F], in logarithms: [N]."""
        found = self._load_forest(name).predict(x, num_threads=torch.get_num_threads(), raw_score=True)
        return (found + OBJECTIVES[name].initial_scores(x)).astype(np.float32)

    def forward(self, batch: Batch) -> Tensor:  # -> [B, P, Q]
        x = relate_days(build_features(batch), self._find_pushes()).flatten(0, 1).numpy()
        # [B, P] each, in the order of OBJECTIVES: log(mean), log1p(median)
        mean, log = (
            torch.from_numpy(self._predict_scores(name, x)).view(batch.base.shape) for name in OBJECTIVES
        )
        # [B, P, 1] + [B, P, Q - 1] in logs, then units; rollout clamps and sorts
        spread = torch.expm1(log[..., None] + self.misses[torch.searchsorted(self.edges, log.contiguous())])
        return torch.cat([mean.exp()[..., None], spread], dim=2) / batch.scale[:, None, None]
