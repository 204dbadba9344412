"""The groups whose errors are added up: everything, stores, levels, and series by how much they sell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from prediction.accuracy.scoring import Codes
from registry.datasets.levels import read_levels
from registry.datasets.models import DatasetVersion
from registry.series.levels import NOT_GIVEN, SIDE_PLACES, Keys
from registry.series.panel import Floats

EVERYTHING, STORES, SIZES = "", "store_id", "#size"  # no level has such a name
SIZE_LIMITS = (0.1, 1.0, 10.0)  # expected units a day
MAX_VALUES = 200  # a level with more is left out


@dataclass(frozen=True)
class Grouping:
    """The group of each series: codes [S] into `values`."""

    column: str
    values: list[str]
    codes: Codes

    @property
    def rows(self) -> list[Codes]:
        """The series of each group."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.searchsorted(self.codes[order], np.arange(len(self.values) + 1))
        return [order[start:end] for start, end in pairwise(ends.tolist())]

    @classmethod
    def build(cls, column: str, texts: list[str]) -> Grouping:
        """From the text of each series."""
        values, codes = np.unique(np.array(texts, dtype=object), return_inverse=True)
        return cls(column, [str(value) for value in values], codes.astype(np.intp))


def build_groupings(data: DatasetVersion, keys: Keys, mean: Floats) -> list[Grouping]:
    """All groupings of the series with these keys; mean [S, H] gives their size. Raises CorruptArtifact."""
    sizes = np.digitize(mean.mean(axis=1), SIZE_LIMITS).astype(np.intp)
    found = [
        Grouping(EVERYTHING, [""], np.zeros(len(keys), np.intp)),
        Grouping.build(STORES, [store for store, _product in keys]),
        Grouping(SIZES, [str(size) for size in range(len(SIZE_LIMITS) + 1)], sizes),
    ]
    for level in read_levels(data):
        if len(level.counts) <= MAX_VALUES:
            place = SIDE_PLACES[level.side]
            texts = [level.values.get(key[place], NOT_GIVEN) for key in keys]
            found.append(Grouping.build(level.column, texts))
    return found
