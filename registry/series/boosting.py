"""Boosting: LightGBM forests grown tree by tree, which end where days held back were forecast best.

They work on the logarithm of sales and start from that of the usual sales, so that a forest with few trees
errs little, and one that meets a new level of sales follows it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch

SHOWN = 10_000  # rows that draw the learning curve
LOOK, PATIENCE = 10, 6  # trees between two looks; looks without a gain until it is enough
OPTIONS: dict[str, Any] = {"min_data_in_leaf": 20, "feature_fraction": 0.4, "max_bin": 127, "verbose": -1}
OPTIONS |= {"bagging_fraction": 0.8, "bagging_freq": 1, "deterministic": True, "seed": 1}
LEAST = 0.05  # usual sales to start from where nothing is sold


def _options() -> dict[str, Any]:
    return OPTIONS | {"num_threads": torch.get_num_threads()}


@dataclass
class Rows:
    """Features [N, F] of days, the first of which is log1p of the usual sales, and their sales [N]."""

    x: Any
    y: Any

    @cached_property
    def binned(self) -> Any:
        """The features as LightGBM wants them, once for all forests."""
        import lightgbm

        return lightgbm.Dataset(self.x, params=_options()).construct()


@dataclass(frozen=True)
class Goal:
    """What a forest's scores stand for."""

    options: dict[str, Any]
    target: Callable[[Any], Any]  # sales -> what LightGBM is told
    start: Callable[[Any], Any]  # features -> scores before the first tree
    judge: Callable[[Any, Any], tuple[float, float]]  # scores, sales -> error to show, loss to go by


def _by_deviance(log: Any, y: Any) -> tuple[float, float]:
    mean = np.exp(log)
    return float(np.abs(y - mean).sum() / max(1e-9, y.sum())), float((mean - y * log).mean())


def _by_error(log: Any, y: Any) -> tuple[float, float]:
    error = float(np.abs(y - np.expm1(log)).sum() / max(1e-9, y.sum()))
    return error, error


GOALS = {
    "mean": Goal(  # scores: log(mean)
        {"objective": "tweedie", "tweedie_variance_power": 1.3},
        target=np.asarray,
        start=lambda x: np.log(np.expm1(x[:, 0]).clip(LEAST)),
        judge=_by_deviance,
    ),
    "median": Goal({"objective": "l1"}, target=np.log1p, start=lambda x: x[:, 0], judge=_by_error),  # log1p
}


@dataclass
class Forest:
    """At most `trees` towards a goal, with `options` on top of OPTIONS."""

    goal: Goal
    options: dict[str, Any]
    trees: int
    useful: int = 0  # trees after which it got no better
    text: bytes = b""  # the result, as LightGBM writes it
    _sums: list[Any] = field(default_factory=list)

    def grow(
        self, learned: Rows, check: Rows | None, until: float
    ) -> Iterator[tuple[float, float, float | None]]:
        """Yields share done, error on learned rows and on check rows; `until` is a time.monotonic()."""
        import lightgbm

        options = _options() | self.goal.options | self.options
        data = learned.binned.set_label(self.goal.target(learned.y))
        booster = lightgbm.Booster(options, data.set_init_score(self.goal.start(learned.x)))
        shown = [Rows(learned.x[:SHOWN], learned.y[:SHOWN])] + ([check] if check is not None else [])
        self._sums = [self.goal.start(rows.x).astype(float) for rows in shown]
        lowest = np.inf
        for tree in range(1, self.trees + 1):
            booster.update()
            over = tree == self.trees or time.monotonic() > until
            if tree % LOOK == 0 or over:
                signs = self._judged(booster, shown, tree)
                loss = signs[1][1] if check is not None else -float(tree)
                self.useful, lowest = (tree, loss) if loss < lowest else (self.useful, lowest)
                yield tree / self.trees, signs[0][0], signs[1][0] if check is not None else None
            if over or tree - self.useful >= LOOK * PATIENCE:
                break
        self.text = booster.model_to_string(num_iteration=self.useful).encode()

    def _judged(self, booster: Any, shown: list[Rows], tree: int) -> list[tuple[float, float]]:
        """Adds what the newest trees say, so that a look costs no more late than early."""
        since = (tree - 1) // LOOK * LOOK
        for total, rows in zip(self._sums, shown, strict=True):
            np.add(total, booster.predict(rows.x, since, tree - since, raw_score=True), out=total)
        return [self.goal.judge(total, rows.y) for total, rows in zip(self._sums, shown, strict=True)]
