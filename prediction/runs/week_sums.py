"""Sums of each series by week, with their sample paths: what the totals of any series are read from.

The paths of a sum are the sum of the paths, so 200 numbers for each series and week give the range of every
total of whole weeks at once. No Django.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from registry.series.panel import Floats
from registry.series.paths import PATHS, Rows, read_quantiles
from registry.series.prediction import ENDS_80, Prediction

WEEK = 7
MOST = np.iinfo(np.uint16).max
ROWS_AT_ONCE = 2048  # series whose paths are added up at a time


class WeekSummer:
    """Collects the paths of each week while the paths of the days are drawn: give `add` to `keep_sums`."""

    def __init__(self, prediction: Prediction) -> None:
        self.days = len(prediction.dates)
        weeks = -(-self.days // WEEK)
        self.paths = np.zeros((len(prediction.keys), weeks, PATHS), np.uint16)
        self.scales = np.ones((len(prediction.keys), weeks), np.float32)
        self.is_count = prediction.calibration.whole
        self.is_changed = prediction.adjustment is not None

    def add(self, rows: Rows, units: Floats) -> None:
        """Units [R, H, N] of these series."""
        sums = np.add.reduceat(units, np.arange(0, self.days, WEEK), axis=1)  # [R, W, N]
        top = sums.max(axis=2)
        fits = (top <= MOST) & self.is_count  # whole units are kept as they are
        if self.is_changed:  # by a share, after which they are whole no longer
            fits &= (sums == np.rint(sums)).all(axis=2)
        scales = np.where(fits, 1.0, np.maximum(top, 1e-6) / MOST).astype(np.float32)
        self.paths[rows] = np.rint(sums / scales[..., None]).astype(np.uint16)
        self.scales[rows] = scales


def write_sums(path: Path, prediction: Prediction, summer: WeekSummer, before: Floats) -> None:
    """Writes the sums in order of store and product; `before` [S]: units of as many days before."""
    order = np.array(sorted(range(len(prediction.keys)), key=lambda row: prediction.keys[row]), np.intp)
    size, weeks, _count = summer.paths.shape
    ranges = np.zeros((size, weeks, 2), np.float32)
    for start in range(0, size, ROWS_AT_ONCE):
        part = order[start : start + ROWS_AT_ONCE]
        paths = np.cumsum(summer.paths[part] * summer.scales[part][..., None], axis=1)
        ranges[start : start + len(part)] = read_quantiles(paths, summer.is_count, ENDS_80)
    columns = {
        "store_id": pa.array([prediction.keys[row][0] for row in order], pa.string()),
        "product_id": pa.array([prediction.keys[row][1] for row in order], pa.string()),
        "before": pa.array(before[order]),
        "mean": _fixed(prediction.mean[order]),
        **({"model": _fixed(prediction.model_mean[order])} if prediction.adjustment else {}),
        "ranges": _fixed(ranges.reshape(size, -1)),
        "scales": _fixed(summer.scales[order]),
        "paths": _fixed(summer.paths[order].reshape(size, -1)),
    }
    table = pa.table(columns).replace_schema_metadata({"whole": str(int(summer.is_count))})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=max(1, size))


@dataclass(frozen=True)
class WeekSums:
    """mean [S, H], 80% range [S, W, 2] of the first 1 ... W weeks, paths [S, W, N] times scales [S, W].

    All of them are the final numbers; model [S, H] is the mean before people changed it, None if none did.
    """

    stores: list[str]
    products: list[str]
    before: Floats
    mean: Floats
    ranges: Floats
    scales: Floats
    paths: NDArray[np.uint16]
    is_count: bool
    model: Floats | None = None

    @classmethod
    def read(cls, source: Any) -> WeekSums:
        """`source`: a memory map or a buffer; the paths stay where they are until they are needed."""
        table = pa.ipc.open_file(source).read_all().combine_chunks()
        size = table.num_rows

        def read(name: str) -> NDArray[Any]:
            return np.asarray(table[name].chunk(0).values.to_numpy()).reshape(size, -1)

        scales = read("scales")
        weeks = scales.shape[1]
        return cls(
            table["store_id"].to_pylist(),
            table["product_id"].to_pylist(),
            table["before"].to_numpy(),
            read("mean"),
            read("ranges").reshape(size, weeks, 2),
            scales,
            read("paths").reshape(size, weeks, -1),
            table.schema.metadata[b"whole"] == b"1",
            read("model") if "model" in table.column_names else None,
        )

    def sum_range(self, rows: Rows, weeks: int) -> tuple[float, float, float]:
        """Units of all these series in the first weeks, and the ends of the 80% range of that sum."""
        expected = float(self.mean[rows, : weeks * WEEK].sum(dtype=np.float64))
        total = np.zeros(self.paths.shape[2])
        for start in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            total += np.einsum("rw,rwn->n", self.scales[part, :weeks], self.paths[part, :weeks])
        low, high = read_quantiles(total.astype(np.float32), self.is_count, ENDS_80)
        return expected, min(expected, float(low)), max(expected, float(high))


def _fixed(values: NDArray[Any]) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])
