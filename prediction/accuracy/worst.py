"""The series whose forecasts missed the most units, read from the files of the newest weeks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from prediction.accuracy.groups import EVERYTHING, SIZES, STORES
from prediction.accuracy.models import ComparedDays
from prediction.accuracy.reading import Group
from prediction.accuracy.series_file import KEPT, SeriesSums, read_series
from registry.datasets.levels import read_levels
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.days import day_number
from registry.lib.small_cache import SmallCache
from registry.series.levels import SIDE_PLACES, find_level
from registry.storage.artifacts import Artifact

WORST_SHOWN, WORST_WEEKS = 20, 4
MAX_FILES = 60
Totals = dict[tuple[str, str], np.ndarray]  # series: sums as in KEPT
TOTALS_CACHE: SmallCache[Totals] = SmallCache(3)


@dataclass(frozen=True)
class MissedSeries:
    """Units of a series that were missed, sold, and expected too much, over all forecasts of these days."""

    store: str
    product: str
    missed: float
    units: float
    over: float

    @property
    def bias(self) -> float | None:
        return self.over / self.units if self.units else None

    @property
    def wape(self) -> float | None:
        return self.missed / self.units if self.units else None


def list_worst(dataset: Dataset, group: Group, week: date | None) -> list[MissedSeries]:
    """The worst of a week, or of the newest four; raises CorruptArtifact."""
    data = dataset.current_version
    rows = ComparedDays.objects.filter(dataset_version__dataset=dataset, state=Artifact.State.READY)
    newest = rows.order_by("-last").first()
    if newest is None or data is None:
        return []
    first = week or newest.last - timedelta(days=7 * WORST_WEEKS - 1)
    last = week + timedelta(days=6) if week else newest.last
    files = list(rows.filter(first__lte=last, last__gte=first).order_by("-last", "-created_at")[:MAX_FILES])
    mondays = (day_number(first) - 6, day_number(last))  # weeks that begin in between
    key = (*(row.pk for row in files), mondays)
    totals = TOTALS_CACHE.get(key, lambda: add_up_files(files, mondays))
    chosen = [key for key in totals if is_in_group(key, group, data)] if group != Group() else list(totals)
    chosen.sort(key=lambda key: (-totals[key][KEPT.index("missed")], key))
    return [build_row(key, totals[key]) for key in chosen[:WORST_SHOWN]]


def add_up_files(files: list[ComparedDays], mondays: tuple[int, int]) -> Totals:
    """The sums of each series over the weeks of these files."""
    first, last = mondays
    found: Totals = {}
    for row in files:
        series = read_series(pa.BufferReader(row.read()))
        parts = [sums for (monday, _lag), sums in series.cells.items() if first <= monday <= last]
        if parts:
            add_series(found, series, np.sum(parts, axis=0))
    return found


def add_series(found: Totals, series: SeriesSums, sums: np.ndarray) -> None:
    """Adds the sums [S, M] to those of the same series."""
    for key, values in zip(zip(series.stores, series.products, strict=True), sums, strict=True):
        before = found.get(key)
        found[key] = values if before is None else before + values


def is_in_group(key: tuple[str, str], group: Group, data: DatasetVersion) -> bool:
    """Whether a series belongs to the group; the size of sales is that of each forecast, so all may."""
    if group.column in (EVERYTHING, SIZES):
        return True
    if group.column == STORES:
        return key[0] == group.value
    level = find_level(read_levels(data), group.column)
    return level is not None and level.values.get(key[SIDE_PLACES[level.side]], "") == group.value


def build_row(key: tuple[str, str], values: np.ndarray) -> MissedSeries:
    """The row of a series."""
    sums = dict(zip(KEPT, values.tolist(), strict=True))
    return MissedSeries(*key, sums["missed"], sums["units"], sums["over"])
