"""What is read back from a run: its prediction, its sums, and the sample paths of some of its series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from prediction.runs.models import ForecastRun, RunSums
from prediction.runs.table_file import read_prediction
from prediction.runs.week_sums import WeekSums
from registry.lib.small_cache import SmallCache
from registry.storage.artifacts import get_artifact_store

if TYPE_CHECKING:
    from registry.series.panel import Floats
    from registry.series.paths import Rows
    from registry.series.prediction import Prediction

FROZEN_CACHE: SmallCache[Prediction] = SmallCache(2)
SUMS_CACHE: SmallCache[WeekSums] = SmallCache(3)


def load_prediction(run: ForecastRun) -> Prediction:
    """Every series of the run, in order of store and product; raises CorruptArtifact or ValueError."""
    return FROZEN_CACHE.get(run.sha256, lambda: read_prediction(pa.BufferReader(run.read())))


def read_paths(run: ForecastRun, rows: Rows, days: slice | range | Sequence[int] | None = None) -> Floats:
    """Sample paths of these series of a run: [N, R, D] units; the same ones that its sums come from.

    rows: places in order of store and product, as in its table; days: places from 0, default all.
    """
    drawn = load_prediction(run).draw_paths(np.asarray(rows, np.intp))
    return drawn if days is None else drawn[:, :, days if isinstance(days, slice) else list(days)]


def load_sums(sums: RunSums) -> WeekSums:
    """The sums of a run: mapped into memory from a local file; its hash is checked once a process.

    Raises CorruptArtifact.
    """
    return SUMS_CACHE.get(sums.sha256, lambda: WeekSums.read(open_file(sums)))


def open_file(sums: RunSums) -> pa.NativeFile:
    """The file as pyarrow reads it; of a store elsewhere a copy that ends with the process."""
    try:
        path = get_artifact_store().path(sums.path)
    except NotImplementedError:
        path = ""
    sums.ensure_local()
    with NamedTemporaryFile(suffix=sums.SUFFIX) as copy:
        sums.copy_file_to(Path(copy.name))  # checks the hash
        return pa.memory_map(path or copy.name)
