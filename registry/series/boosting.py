"""Boosting: LightGBM forests grown tree by tree, cut where check days were forecast best.

They work on the logarithm of sales and start from that of the usual sales: a forest of few trees already
errs little, and one that meets a new level of sales follows it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from registry.series import metrics
from registry.series.windows import AROUND, PROFILE_COLUMNS, Batch

CURVE_ROWS = 10_000  # rows that draw the learning curve
EVAL_EVERY, PATIENCE = 10, 6  # trees between two evaluations; evaluations without a gain until growing stops
LIGHTGBM_OPTIONS: dict[str, Any] = {
    "min_data_in_leaf": 20,
    "feature_fraction": 0.4,
    "max_bin": 127,
    "verbose": -1,
}
LIGHTGBM_OPTIONS |= {"bagging_fraction": 0.8, "bagging_freq": 1, "deterministic": True, "seed": 1}
RECENT_DAYS = 14  # past days that are features one by one
NEARLY_NOTHING = 1e-6  # units
MIN_USUAL_SALES = 0.05  # where nothing is sold usual sales are 0, and have no logarithm


def _build_options() -> dict[str, Any]:
    return LIGHTGBM_OPTIONS | {"num_threads": torch.get_num_threads()}


@dataclass
class Rows:
    """Features [N, F] of days, the first of them log1p of the usual sales, and their sales [N]."""

    x: Any
    y: Any

    @cached_property
    def binned_features(self) -> Any:
        """The features as a LightGBM dataset, built once for all forests."""
        import lightgbm

        return lightgbm.Dataset(self.x, params=_build_options()).construct()


@dataclass(frozen=True)
class Objective:
    """What the scores of a forest mean."""

    options: dict[str, Any]
    make_labels: Callable[[Any], Any]  # sales [N] -> labels for LightGBM [N]
    initial_scores: Callable[[Any], Any]  # features [N, F] -> scores before the first tree [N]
    evaluate_scores: Callable[[Any, Any], tuple[float, float]]  # scores, sales [N] -> error to show, loss
    takes_directions: bool = False  # LightGBM refuses them for objectives of quantiles


def _evaluate_mean(log: Any, y: Any) -> tuple[float, float]:
    """WAPE and Poisson loss of log means [N]; the WAPE is least at the median, so the loss decides."""
    mean = np.exp(log)
    return metrics.wape(y, mean), float((mean - y * log).mean())


def _evaluate_median(log: Any, y: Any) -> tuple[float, float]:
    """WAPE of medians [N] in log1p, which is also the loss; without sales the loss is in units."""
    missed = float(np.abs(y - np.expm1(log)).sum())
    sold = float(y.sum())
    return (missed / sold, missed / sold) if sold else (math.nan, missed)


def _mean_labels(y: Any) -> Any:
    """The sales [N] as labels; Tweedie rejects labels that are all 0, so these become nearly 0."""
    return np.asarray(y) if np.any(y) else np.full(len(y), NEARLY_NOTHING)


OBJECTIVES = {
    "mean": Objective(  # scores: log(mean)
        {"objective": "tweedie", "tweedie_variance_power": 1.3},
        make_labels=_mean_labels,
        initial_scores=lambda x: np.log(np.expm1(x[:, 0]).clip(MIN_USUAL_SALES)),
        evaluate_scores=_evaluate_mean,
        takes_directions=True,
    ),
    "median": Objective(
        {"objective": "l1"},
        make_labels=np.log1p,
        initial_scores=lambda x: x[:, 0],
        evaluate_scores=_evaluate_median,
    ),  # log1p
}


@dataclass
class Forest:
    """Up to `trees` trees for an objective, with `options` on top of LIGHTGBM_OPTIONS."""

    objective: Objective
    options: dict[str, Any]
    trees: int
    pushes: dict[int, int] = field(default_factory=dict)  # feature -> 1 = never falls with it, -1 = rises
    best_tree_count: int = 0  # trees of the best evaluation; the others are cut off
    model_text: bytes = b""  # the result, as LightGBM writes it
    _raw_scores: list[Any] = field(default_factory=list)

    def grow_trees(
        self, training_rows: Rows, check_rows: Rows | None, deadline: float
    ) -> Iterator[tuple[float, float, float | None]]:
        """Yields share done, error on training rows and on check rows; `deadline` is a time.monotonic()."""
        import lightgbm

        options = _build_options() | self.objective.options | self.options
        if self.objective.takes_directions and self.pushes:
            bounds = [self.pushes.get(place, 0) for place in range(training_rows.x.shape[1])]
            options |= {"monotone_constraints": bounds, "monotone_constraints_method": "intermediate"}
        data = training_rows.binned_features.set_label(self.objective.make_labels(training_rows.y))
        # without sales LightGBM finds no split: the trees are one constant, which init scores would keep at 0
        start = self.objective.initial_scores(training_rows.x) if training_rows.y.any() else None
        booster = lightgbm.Booster(options, data.set_init_score(start))
        shown = [Rows(training_rows.x[:CURVE_ROWS], training_rows.y[:CURVE_ROWS])] + (
            [check_rows] if check_rows is not None else []
        )
        # [N] each: running sums over the trees, so that no evaluation predicts a tree twice
        self._raw_scores = [self.objective.initial_scores(rows.x).astype(float) for rows in shown]
        lowest = np.inf
        for tree in range(1, self.trees + 1):
            booster.update()
            over = tree == self.trees or time.monotonic() > deadline
            if tree % EVAL_EVERY == 0 or over:
                signs = self._evaluate_rows(booster, shown, tree)
                # without check rows every evaluation counts as better: all trees are kept
                loss = signs[1][1] if check_rows is not None else -float(tree)
                self.best_tree_count, lowest = (
                    (tree, loss) if loss < lowest else (self.best_tree_count, lowest)
                )
                yield tree / self.trees, signs[0][0], signs[1][0] if check_rows is not None else None
            if over or tree - self.best_tree_count >= EVAL_EVERY * PATIENCE:
                break
        self.model_text = booster.model_to_string(num_iteration=self.best_tree_count).encode()

    def _evaluate_rows(self, booster: Any, row_sets: list[Rows], tree: int) -> list[tuple[float, float]]:
        """Error and loss of each row set; adds only the newest trees, so that its cost stays the same."""
        since = (tree - 1) // EVAL_EVERY * EVAL_EVERY  # the first tree that no earlier call has added
        for total, rows in zip(self._raw_scores, row_sets, strict=True):
            np.add(total, booster.predict(rows.x, since, tree - since, raw_score=True), out=total)
        return [
            self.objective.evaluate_scores(total, rows.y)
            for total, rows in zip(self._raw_scores, row_sets, strict=True)
        ]


def build_features(batch: Batch) -> Tensor:
    """[B, P, F]: one row per day ahead, the usual sales first, as Rows needs them.

    Sales are in logs of units, since trees cannot multiply by the scale.
    """
    size, block = batch.base.shape
    day = torch.arange(block).float().expand(size, block)[..., None]
    scale = batch.scale[:, None]
    # [B, RECENT_DAYS]; -1 = no record, since log1p of sales is never below 0
    recent = torch.log1p((batch.recent[:, -RECENT_DAYS:] * scale).clamp(min=0)).nan_to_num(-1)
    shared = torch.cat([batch.level, batch.static, batch.entity.float(), torch.log(scale), recent], dim=1)
    shared = shared[:, None].expand(-1, block, -1)
    near = batch.around.unfold(1, 1 + 2 * AROUND, 1).flatten(2)
    # [B, P, PROFILE_COLUMNS]; sinh undoes the asinh of windows.py
    profile = torch.log1p((torch.sinh(batch.ahead[..., -PROFILE_COLUMNS:]) * scale[..., None]).clamp(min=0))
    base = torch.log1p((batch.base * scale).clamp(min=0))[..., None]
    # F = 1 + 1 + A + PROFILE_COLUMNS + 7 * K + (E + T + 3 + 1 + RECENT_DAYS)
    return torch.cat([base, day, batch.ahead, profile, near, shared], dim=2)


def place_directions(directions: list[int], ahead: int) -> dict[int, int]:
    """Feature -> direction, of known covariates [K] on the day itself; `ahead` is A."""
    first, days = 2 + ahead + PROFILE_COLUMNS + AROUND, 1 + 2 * AROUND
    return {first + days * place: push for place, push in enumerate(directions) if push}


def relate_days(x: Tensor, pushes: dict[int, int]) -> Tensor:
    """Features [..., F] with a price on the days near as its difference to that of the day itself.

    So a forest that never rises with the day's own price never does when all prices rise by as much, and is
    free to know that a cheap day takes from the days around it.
    """
    for place in pushes:
        own = x[..., place : place + 1].clone()
        x[..., place - AROUND : place + AROUND + 1] -= own
        x[..., place : place + 1] = own
    return x


def build_known_rows(batch: Batch, pushes: dict[int, int]) -> Rows:
    """The days of a batch whose sales are known."""
    known = ~batch.target.isnan()
    sales = (batch.target * batch.scale[:, None])[known].clamp(min=0)
    return Rows(relate_days(build_features(batch)[known], pushes).numpy(), sales.numpy())
