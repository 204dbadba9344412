"""What a dataset holds so far, for a file that is added to it; its rows are read as far as needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from registry.datasets.importing.canonical import ITEMS_KEY, CanonicalTable, read_left_out, read_metadata
from registry.datasets.importing.facts.sales_facts import FACTS_KEY, SalesFacts
from registry.datasets.importing.merge import load_canonical
from registry.datasets.importing.options import ImportJob
from registry.datasets.importing.parts import load_parts
from registry.datasets.store.layout import Layout
from registry.series.left_out import LeftOutSales


class DamagedPart(Exception):
    """A part is not the file that was saved."""


class MissingParts(Exception):
    """Parts that are needed and not in the job's folder yet; `names` are their files."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(*names)
        self.names = names


@dataclass(frozen=True)
class PlacedPart:
    """A part as a file of the job's folder."""

    path: Path
    bucket: int
    span: int
    rows: int
    sha256: str

    def check_hash(self) -> None:
        """Raises DamagedPart."""
        with self.path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != self.sha256:
            raise DamagedPart(self.path.name)


@dataclass(frozen=True)
class SalesBase:
    """The current version of a dataset: its own file, and its parts if it has a layout."""

    file: Path
    layout: Layout | None
    parts: Sequence[PlacedPart]
    left_out: LeftOutSales

    @classmethod
    def open(cls, job: ImportJob) -> SalesBase | None:
        """What the file of a job is added to; None for a new dataset."""
        if not job.base:
            return None
        file = Path(job.base)
        left_out = read_left_out(read_metadata(file))
        if not job.parts or not job.layout:
            return cls(file, None, (), left_out)
        columns = ["bucket", "span", "first", "rows", "sha256"]
        parts = [
            PlacedPart(
                Path(job.parts) / part_name(row["first"], row["bucket"]),
                row["bucket"],
                row["span"],
                row["rows"],
                row["sha256"],
            )
            for row in pq.read_table(file, columns=columns).to_pylist()
        ]
        return cls(file, Layout(**job.layout), parts, left_out)

    @cached_property
    def metadata(self) -> dict[bytes, bytes]:
        """What the version's own file says beside its rows."""
        return read_metadata(self.file)

    @cached_property
    def saved_facts(self) -> SalesFacts | None:
        """The facts that the version was saved with; None for a version of an earlier release."""
        content = self.metadata.get(FACTS_KEY)
        return SalesFacts.from_bytes(content) if content and self.layout else None

    @property
    def items(self) -> list[dict[str, Any]]:
        """The catalog that the version was saved with."""
        return list(json.loads(self.metadata.get(ITEMS_KEY, b"[]")))

    @cached_property
    def facts(self) -> SalesFacts:
        """The facts of all rows, which are read for it if need be."""
        return self.saved_facts or SalesFacts.from_content(self.whole)

    @cached_property
    def whole(self) -> CanonicalTable:
        """All rows."""
        return self.load(self.parts) if self.layout else load_canonical(self.file)

    @property
    def row_count(self) -> int:
        return sum(part.rows for part in self.parts) if self.layout else self.whole.row_count

    def require(self, parts: Iterable[PlacedPart]) -> None:
        """Raises MissingParts where some of them are not in the folder yet."""
        if missing := sorted({part.path.name for part in parts if not part.path.exists()}):
            raise MissingParts(missing)

    def load(self, parts: Iterable[PlacedPart], with_extras: bool = True) -> CanonicalTable:
        """The rows of some parts; raises DamagedPart or MissingParts."""
        chosen = list(parts)
        self.require(chosen)
        for part in chosen:
            part.check_hash()
        return load_parts([part.path for part in chosen], with_extras)


def part_name(first: object, bucket: int) -> str:
    """The name of a part's file in a folder, by its first day."""
    return f"{first:%Y-%m-%d}-{bucket:04d}.parquet"
