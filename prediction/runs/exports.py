"""Downloads of a run: its table as parquet and CSV, streamed; the sums of the series found as a table."""

from __future__ import annotations

import io
from collections.abc import Iterator
from math import isnan
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.utils.translation import gettext as _
from pyarrow import csv

from prediction.runs.listing import RunTable, SeriesQuery
from prediction.runs.models import ForecastRun
from registry.lib.csv_safe import escape_formula
from registry.lib.tables import Column, Table
from registry.series.paths import Rows
from registry.storage.artifacts import get_artifact_store

BATCH_ROWS, DIGITS = 20_000, 4


def open_table(run: ForecastRun) -> IO[bytes]:
    """The parquet file; one in the archive is restored first. Raises CorruptArtifact."""
    run.ensure_local()
    try:
        stream: IO[bytes] = get_artifact_store().open(run.path, "rb")
    except FileNotFoundError:
        raise run.missing_file() from None
    return stream


def stream_csv_parts(stream: IO[bytes]) -> Iterator[bytes]:
    """The rows as CSV, a batch at a time, whatever the number of series; closes the file."""
    with stream:
        file, is_first = pq.ParquetFile(stream), True
        for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
            part = io.BytesIO()
            columns = [_write_plainly(column) for column in batch.columns]
            table = pa.table(columns, names=batch.schema.names)
            csv.write_csv(table, part, csv.WriteOptions(include_header=is_first, quoting_style="needed"))
            is_first = False
            yield part.getvalue()


def _write_plainly(column: pa.Array) -> pa.Array:
    """Codes that no spreadsheet runs as a formula, numbers with few digits."""
    if pa.types.is_dictionary(column.type):
        texts = pa.array([escape_formula(text) for text in column.dictionary.to_pylist()], pa.string())
        return texts.take(column.indices)
    return pc.round(column.cast(pa.float64()), DIGITS) if pa.types.is_floating(column.type) else column


def series_table(run: ForecastRun, table: RunTable, query: SeriesQuery, rows: Rows) -> Table:
    """The series found, with their units on the days asked for; the range where it is stored."""
    columns = [
        Column(_("Store")),
        Column(_("Product")),
        Column(_("Expected"), "units"),
        Column(_("Change"), "share"),
    ]
    model = table.model_units(query, rows)
    if model is not None:
        columns.insert(2, Column(_("By the model alone"), "units"))
    stored = query.is_of_weeks or (query.first, query.last) == (1, table.horizon)
    units, changes = table.units(query, rows).tolist(), table.change(rows).tolist()
    ends = table.ranges(run, query, rows) if stored else [None] * len(rows)
    if stored:
        columns += [Column(_("Lower end (80%)"), "units"), Column(_("Upper end (80%)"), "units")]
    found = [
        (*table.labels[row], *alone, round(expected, 3), None if isnan(change) else change, *(
            (round(end, 3) for end in pair) if pair else ()
        ))
        for row, alone, expected, change, pair in zip(
            rows.tolist(), list_alone(model, len(rows)), units, changes, ends, strict=True
        )
    ]  # fmt: skip
    return Table(_("Series"), columns, found)


def list_alone(model: np.ndarray[Any, Any] | None, count: int) -> list[list[float]]:
    """The cells of the model's own units of each row: one, or none in a run without overrides."""
    return [[]] * count if model is None else [[round(value, 3)] for value in model.tolist()]
