"""Boosting: one LightGBM forest grown tree by tree, which ends where days held back were forecast best."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

SHOWN = 10_000  # rows that draw the learning curve
LOOK, PATIENCE = 10, 6  # trees between two looks; looks without a gain until it is enough
OPTIONS: dict[str, Any] = {"min_data_in_leaf": 20, "feature_fraction": 0.4, "max_bin": 127, "verbose": -1}
OPTIONS |= {"bagging_fraction": 0.8, "bagging_freq": 1, "deterministic": True, "seed": 1}
Table = tuple[Any, Any]  # features [N, F], sales [N]
Judge = Callable[[Any, Any], tuple[float, float]]  # raw scores, sales -> error to show, loss to go by


@dataclass
class Forest:
    """`options` on top of OPTIONS; at most `trees`; `judge` tells how good raw scores are."""

    options: dict[str, Any]
    trees: int
    judge: Judge
    useful: int = 0  # trees after which it got no better
    text: bytes = b""  # the result, as LightGBM writes it
    _sums: list[Any] = field(default_factory=list)

    def grow(
        self, learned: Table, target: Any, check: Table | None, until: float
    ) -> Iterator[tuple[float, float, float | None]]:
        """Yields share done, error on learned rows and on check rows; `until` is a time.monotonic()."""
        import lightgbm

        options = OPTIONS | {"num_threads": torch.get_num_threads()} | self.options
        booster = lightgbm.Booster(options, lightgbm.Dataset(learned[0], target))
        shown = [(learned[0][:SHOWN], learned[1][:SHOWN])] + ([check] if check is not None else [])
        self._sums = [np.zeros(len(y)) for _x, y in shown]
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

    def _judged(self, booster: Any, shown: list[Table], tree: int) -> list[tuple[float, float]]:
        """Adds what the newest trees say, so that a look costs no more late than early."""
        since = (tree - 1) // LOOK * LOOK
        for total, (x, _y) in zip(self._sums, shown, strict=True):
            np.add(total, booster.predict(x, since, tree - since, raw_score=True), out=total)
        return [self.judge(total, y) for total, (_x, y) in zip(self._sums, shown, strict=True)]
