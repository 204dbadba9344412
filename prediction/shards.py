"""Forecasts everything in a scope shard by shard, so that memory does not grow with the number of series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from prediction.engine import ForecastError, check_horizon, load_bundle
from registry.datasets.models import DatasetVersion
from registry.lib.messages import translate_error
from registry.model_versions.models import ModelVersion
from registry.storage.artifacts import CorruptArtifact

Rows = npt.NDArray[np.intp]

if TYPE_CHECKING:
    from registry.series.panel import Panel
    from registry.series.prediction import Prediction


@dataclass(frozen=True)
class ShardForecast:
    """The panel and the prediction of one of `count` shards, both with the same series in the same order."""

    number: int  # from 0
    count: int
    panel: Panel
    prediction: Prediction


def forecast_shards(
    version: ModelVersion, data: DatasetVersion, horizon: int, first: int = 0
) -> Iterator[ShardForecast]:
    """The forecast of every series of the version's scope, some at a time; raises ForecastError.

    Every series is in exactly one shard, and the paths of series in different shards add up. `first` is the
    shard to go on from.
    """
    from registry.datasets.reader import read_shards

    check_horizon(horizon)
    try:
        bundle, shards = load_bundle(version), read_shards(data, version.model.scope)
        for number in range(first, len(shards)):
            panel = shards.read(number)
            yield ShardForecast(number, len(shards), panel, bundle.forecast(panel, horizon))
    except CorruptArtifact as problem:
        raise ForecastError(translate_error(problem)) from None


@dataclass
class GroupTotals:
    """Sums of paths over groups of series, from one shard after the other."""

    is_count: bool = False
    expected: dict[str, float] = field(default_factory=dict)
    paths: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)  # [N], summed over the days

    def add(self, prediction: Prediction, groups: dict[str, Rows]) -> None:
        """Adds the rows of each group."""
        self.is_count = prediction.calibration.whole
        sums = prediction.sum_paths(list(groups.values())).sum(axis=2, dtype=np.float64)  # [N, G]
        for place, (name, rows) in enumerate(groups.items()):
            mean = float(prediction.mean[rows].sum(dtype=np.float64))
            self.expected[name] = self.expected.get(name, 0.0) + mean
            self.paths[name] = self.paths.get(name, np.zeros(len(sums))) + sums[:, place]

    def read_intervals(self) -> dict[str, tuple[float, float, float]]:
        """Of each group the expected units and the ends of their 80% interval."""
        from registry.series.prediction import read_interval

        return {
            name: read_interval(expected, self.paths[name].astype(np.float32), self.is_count)
            for name, expected in self.expected.items()
        }
