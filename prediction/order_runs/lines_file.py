"""The lines of an order as parquet: keys, figures, class, policy, notes and terms."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from prediction.order_runs.lines import OrderLines
from prediction.orders.proposal import VERDICTS, Lines
from registry.datasets.stock.resolving import FIELDS, ProductTerms
from registry.lib.small_cache import SmallCache

TERMS_PREFIX = "terms_"
FIGURES = tuple(field.name for field in fields(Lines))


@dataclass(frozen=True)
class LineTable:
    """The frozen lines in order of store and product; figures by name as arrays [S]."""

    keys: list[tuple[str, str]]
    figures: dict[str, np.ndarray[Any, Any]]
    classes: list[str]
    kinds: list[str]
    levels: list[float]
    notes: list[list[str]]
    terms: list[ProductTerms]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def quantity(self) -> np.ndarray[Any, Any]:
        """Units that were proposed."""
        return self.figures["quantity"]

    def describe(self, place: int) -> dict[str, Any]:
        """The figures of a line as plain data; its verdict as a word."""
        found = {name: values[place].item() for name, values in self.figures.items()}
        return found | {"verdict": VERDICTS[int(found["verdict"])]}


def write_lines(path: Path, lines: OrderLines) -> None:
    """Writes all lines."""
    columns: dict[str, Any] = {
        "store_id": pa.array([store for store, _product in lines.keys], pa.string()).dictionary_encode(),
        "product_id": pa.array([product for _store, product in lines.keys], pa.string()).dictionary_encode(),
        **{name: getattr(lines.figures, name) for name in FIGURES},
        "class": pa.array(lines.classes, pa.string()).dictionary_encode(),
        "policy": pa.array(lines.kinds, pa.string()).dictionary_encode(),
        "level": pa.array(lines.levels, pa.float64()),
        "notes": pa.array([" ".join(codes) for codes in lines.notes], pa.string()).dictionary_encode(),
    }
    of_lines = [lines.terms[product] for _store, product in lines.keys]
    for name in FIELDS:
        values = pa.array([getattr(terms, name) for terms in of_lines])
        columns[TERMS_PREFIX + name] = values if values.type != pa.null() else values.cast(pa.float64())
    pq.write_table(pa.table(columns), path, compression="zstd")


def read_lines(source: Any) -> LineTable:
    """The lines of a file; `source` is what pyarrow reads."""
    table = pq.read_table(source)
    cells = {name: table[name].to_pylist() for name in table.column_names if name not in FIGURES}
    terms: list[ProductTerms] = []
    known: dict[tuple[Any, ...], ProductTerms] = {}  # a product has the same terms in every store
    for values in zip(*(cells[TERMS_PREFIX + name] for name in FIELDS), strict=True):
        if values not in known:
            known[values] = ProductTerms(**dict(zip(FIELDS, values, strict=True)))
        terms.append(known[values])
    return LineTable(
        keys=list(zip(cells["store_id"], cells["product_id"], strict=True)),
        figures={name: table[name].to_numpy() for name in FIGURES},
        classes=cells["class"],
        kinds=cells["policy"],
        levels=cells["level"],
        notes=[text.split() for text in cells["notes"]],
        terms=terms,
    )


LINES_CACHE: SmallCache[LineTable] = SmallCache(3)


def load_lines(run: Any) -> LineTable:
    """The lines of a done run, kept in memory by process; raises CorruptArtifact."""
    return LINES_CACHE.get(run.sha256, lambda: read_lines(pa.BufferReader(run.read())))
