"""The sums of each series as a file: what the list of the worst is read from. No Django."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prediction.accuracy.scoring import PLACES, CellKey, Sums
from registry.series.levels import Keys

KEPT = ("count", "units", "missed", "over", "naive_missed")
FACTS_KEY = b"compared_days"


@dataclass(frozen=True)
class SeriesSums:
    """Sums [S, M] of each series by cell, M as in KEPT."""

    stores: list[str]
    products: list[str]
    cells: dict[CellKey, Sums]


def write_series(path: Path, keys: Keys, cells: Mapping[CellKey, Sums]) -> None:
    """Writes the sums of every series."""
    stores, products = (pa.array([key[place] for key in keys], pa.string()) for place in (0, 1))
    columns: dict[str, Any] = {"store_id": stores, "product_id": products}
    for number, sums in enumerate(cells.values()):
        for name in KEPT:
            columns[f"{name}_{number}"] = pa.array(np.ascontiguousarray(sums[:, PLACES[name]]))
    facts = json.dumps([list(key) for key in cells])
    table = pa.table(columns).replace_schema_metadata({FACTS_KEY: facts})
    pq.write_table(table, path, compression="zstd")


def read_series(source: Any) -> SeriesSums:
    """`source` is what pyarrow reads, such as a buffer."""
    table = pq.read_table(source)
    keys = [tuple(key) for key in json.loads(table.schema.metadata[FACTS_KEY])]
    cells = {
        key: np.stack([table[f"{name}_{number}"].to_numpy() for name in KEPT], axis=1)
        for number, key in enumerate(keys)
    }
    return SeriesSums(table["store_id"].to_pylist(), table["product_id"].to_pylist(), cells)
