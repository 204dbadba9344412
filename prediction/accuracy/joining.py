"""Compares forecast runs with what was sold: only days that are new, each once.

Safe to kill at any moment and to repeat: the file is written first, then one transaction saves the sums and
says that the days are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django_q.tasks import async_task

from prediction.accuracy.alerts import update_alerts
from prediction.accuracy.groups import Grouping, build_groupings
from prediction.accuracy.models import AccuracyCell, ComparedDays
from prediction.accuracy.scoring import (
    SUM_NAMES,
    WEEK,
    CellKey,
    KnownDays,
    SpanPaths,
    Sums,
    score_spans,
    score_totals,
    sum_days,
    sum_groups,
)
from prediction.accuracy.series_file import write_series
from prediction.engine import forget_cached, load_panel
from prediction.overrides.scoring import save_scores, score_overrides
from prediction.runs.frozen import load_prediction, load_sums
from prediction.runs.models import ForecastRun
from prediction.runs.week_sums import WeekSummer
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.scope import Scope
from registry.lib.days import day_number, from_day_number
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.series.metrics import repeat_last_week, seasonal_scales
from registry.storage.artifacts import Artifact, CorruptArtifact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from registry.series.panel import Floats, Panel
    from registry.series.prediction import Prediction

JOB = "prediction.tasks.compare_runs"
CELLS_AT_ONCE = 500
Kind = AccuracyCell.Kind
SPANS = {1: (Kind.WEEK, Kind.WEEK_TOTAL), 2: (Kind.FORTNIGHT, Kind.FORTNIGHT_TOTAL)}  # by weeks
GroupSums = dict[tuple[Kind, CellKey], list[Sums]]  # of each grouping: [G, M]


def request_comparison(dataset_id: int) -> None:
    """Queues the job."""
    async_task(JOB, dataset_id, cluster="light")


def ask_for_comparisons() -> None:
    """Queues the job of every dataset with days that wait: an earlier job may have died with its host."""
    for dataset in Dataset.objects.all():
        if next(list_waiting(dataset), None) is not None:
            request_comparison(dataset.pk)


def list_waiting(dataset: Dataset) -> Iterator[tuple[ForecastRun, date, date]]:
    """Done runs with known days that were not compared, oldest first, and the first and last of these.

    Of runs with the same numbers of the model only the newest counts: it has the last word of people.
    """
    data = dataset.current_version
    if data is None:
        return
    runs = list(find_runs(dataset).filter(origin__lt=data.last))
    newest = {(run.version_id, run.dataset_version_id, run.as_of, run.horizon): run for run in runs}
    for run in newest.values():
        origin = run.origin or data.last  # a done run has one
        until = min(data.last, origin + timedelta(days=run.horizon))
        first = (getattr(run, "compared_until", None) or origin) + timedelta(days=1)
        if first <= until:
            yield run, first, until


def find_runs(dataset: Dataset) -> QuerySet[ForecastRun]:
    """The done runs of a dataset, oldest first, each with the day until which it is compared."""
    ready = Q(compared__state=Artifact.State.READY)
    runs = ForecastRun.objects.done().filter(dataset_version__dataset=dataset, archived_at=None)
    found = runs.annotate(compared_until=Max("compared__last", filter=ready))
    return found.select_related("version__dataset_version", "sums").order_by("origin", "created_at")


def compare_dataset(dataset: Dataset) -> int:
    """Compares what waits, one process at a time; the number of runs with new days."""
    data, count = dataset.current_version, 0
    try:
        with exclusive_lock(f"accuracy-{dataset.pk}"):
            for run, first, last in list_waiting(dataset):
                if data is not None:
                    count += compare_run(run, data, first, last)
            update_alerts(dataset)
    except LockUnavailable:
        return 0  # whoever holds the lock compares these, too
    finally:
        forget_cached()  # the queue's worker lives on
    return count


def compare_run(run: ForecastRun, data: DatasetVersion, first: date, last: date) -> bool:
    """Saves the sums of these days of a run; False if its files cannot be read."""
    for left in run.compared.exclude(state=Artifact.State.READY):
        left.remove()  # of a job that was killed
    try:
        final, panel = load_prediction(run), load_panel(data, Scope())
        prediction, day = final.of_model(), (first - (run.origin or first)).days
        groupings = build_groupings(data, prediction.keys, prediction.mean)
        comparison = Comparison.build(run, prediction, panel, last)
        scores = score_overrides(run, final, comparison.known, day)
        series, sums = comparison.add_up(day, groupings)
    except CorruptArtifact:
        return False
    facts = {"version": run.version, "dataset_version": data, "origin": run.origin}
    days = ComparedDays(run=run, first=first, last=last, **facts)
    days.is_informed = bool(run.origin and run.version.dataset_version.last > run.origin)
    days.save(force_insert=True)
    with TemporaryDirectory() as folder:
        write_series(Path(folder, "series"), prediction.keys, series)
        days.write_file(Path(folder, "series"))
    with transaction.atomic():
        AccuracyCell.objects.bulk_create(build_cells(days, groupings, sums), CELLS_AT_ONCE)
        save_scores(days, scores)
        days.mark_ready()
    return True


def build_cells(days: ComparedDays, groupings: list[Grouping], sums: GroupSums) -> Iterator[AccuracyCell]:
    """A row for each group, kind, week and lag with a record."""
    for (kind, (monday, lag)), found in sums.items():
        when = {"days": days, "dataset_id": days.dataset_version.dataset_id, "kind": kind, "lag": lag}
        when["week"] = from_day_number(monday)
        for grouping, values in zip(groupings, found, strict=True):
            for value, row in zip(grouping.values, values.tolist(), strict=True):
                if row[0]:
                    numbers = dict(zip(SUM_NAMES, row, strict=True))
                    group = {"column": grouping.column, "value": value, **when}
                    yield AccuracyCell(**group, **numbers)


@dataclass(frozen=True)
class Comparison:
    """What the model of a run forecast, beside what was sold on its first days."""

    origin: date
    known: KnownDays
    spans: SpanPaths
    closed: NDArray[np.bool_]  # [S, N] days on which the run expected the store to be closed

    @classmethod
    def build(cls, run: ForecastRun, prediction: Prediction, panel: Panel, last: date) -> Comparison:
        """The days up to `last`; raises CorruptArtifact."""
        origin = run.origin or last  # a done run has one
        days, sales = (last - origin).days, panel.open_sales
        column = panel.column_index(origin) + 1
        past, coming = sales[:, :column], sales[:, column : column + days]
        places = {key: row for row, key in enumerate(panel.keys)}
        rows = np.array([places.get(key, -1) for key in prediction.keys], np.intp)

        def pick(values: Floats) -> Floats:
            """The rows of the run's series; NaN for those that are in the sales no longer."""
            return np.concatenate([values, np.full_like(values[:1], np.nan)])[rows]

        known = KnownDays(
            day_number(origin),
            pick(coming),
            prediction.mean[:, :days],
            prediction.quantiles[:, :days],
            pick(repeat_last_week(past, days)),
            pick(seasonal_scales(past)[0]),
        )
        return cls(origin, known, load_model_paths(run), prediction.closed[:, :days])

    def add_up(self, first: int, groupings: list[Grouping]) -> tuple[dict[CellKey, Sums], GroupSums]:
        """Sums of each series by cell, and of the groups, of the days from number `first` (from 1) on."""
        series = sum_days(self.known, first)
        found: GroupSums = {
            (Kind.DAY, key): [sum_groups(sums, each.codes, len(each.values)) for each in groupings]
            for key, sums in series.items()
        }
        rows = [each.rows for each in groupings]
        for length, (kind, total_kind) in SPANS.items():
            for start in range(0, self.known.actual.shape[1] // WEEK - length + 1, length):
                last = (start + length) * WEEK  # in days ahead
                if last >= first:
                    key, weeks = self.known.key_of(last), range(start, start + length)
                    sold, expected = self.sum_span(weeks)
                    own = score_spans(sold, expected, self.spans, weeks)
                    values = [sum_groups(own, each.codes, len(each.values)) for each in groupings]
                    add_sums(found, (kind, key), values)
                    totals = [score_totals(sold, expected, self.spans, weeks, groups) for groups in rows]
                    add_sums(found, (total_kind, key), totals)
        return series, found

    def sum_span(self, weeks: range) -> tuple[Sums, Sums]:
        """Units sold [S], NaN unless each day is known or was to be closed, and units expected [S]."""
        part = slice(weeks.start * WEEK, weeks.stop * WEEK)
        actual = self.known.actual[:, part].astype(np.float64)
        is_known = ~np.isnan(actual)
        is_whole = (is_known | self.closed[:, part]).all(axis=1) & is_known.any(axis=1)
        sold = np.where(is_whole, np.nansum(actual, axis=1), np.nan)
        return sold, self.known.mean[:, part].sum(axis=1, dtype=np.float64)


def load_model_paths(run: ForecastRun) -> SpanPaths:
    """The paths of the sums by week as the model forecast them; raises CorruptArtifact."""
    sums, final = load_sums(run.sums), load_prediction(run)
    if final.adjustment is None:
        return SpanPaths(sums.paths, sums.scales, sums.is_count)
    rows = final.adjustment.changed_rows
    model = final.of_model().select_series(rows)
    summer = WeekSummer(model)
    for part, units in model.sampler().draw_chunks(np.arange(len(rows))):
        summer.add(part, units)
    paths, scales = sums.paths.copy(), sums.scales.copy()
    paths[rows], scales[rows] = summer.paths, summer.scales
    return SpanPaths(paths, scales, sums.is_count)


def add_sums(found: GroupSums, name: tuple[Kind, CellKey], values: list[Sums]) -> None:
    """Adds the sums of each grouping to those of the same cell."""
    before = found.get(name)
    found[name] = [a + b for a, b in zip(before, values, strict=True)] if before else values
