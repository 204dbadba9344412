"""Extra columns of a dataset; long ones are spilled to disk, because memory holds only a few."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.values import CategoricalColumn, Floats

ColumnData = CategoricalColumn | Floats
SPILL_ROWS = 1 << 20  # longer columns go to disk


class LazyColumn(Protocol):
    """A column that is read on demand."""

    @property
    def is_text(self) -> bool: ...

    def read_rows(self, rows: slice, row_count: int) -> ColumnData:
        """A slice of the rows."""
        ...


@dataclass(frozen=True)
class SpilledColumn:
    """A column in an unnamed temporary file, which disappears with the last reference."""

    stream: IO[bytes]
    dtype: npt.DTypeLike
    values: list[str] | None  # of a text column

    @classmethod
    def from_column(cls, column: ColumnData) -> SpilledColumn:
        """Writes the column to disk."""
        numbers = column.codes if isinstance(column, CategoricalColumn) else column
        stream = TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the last reference
        numbers.tofile(stream)
        return cls(stream, numbers.dtype, column.values if isinstance(column, CategoricalColumn) else None)

    @property
    def is_text(self) -> bool:
        return self.values is not None

    def read_rows(self, rows: slice, row_count: int) -> ColumnData:
        start, stop, _step = rows.indices(row_count)
        numbers: Any = np.empty(max(0, stop - start), self.dtype)
        if len(numbers):  # positioned read: two threads share the stream
            os.preadv(self.stream.fileno(), [numbers.view(np.uint8).data], start * numbers.itemsize)
        return numbers if self.values is None else CategoricalColumn(numbers, self.values)


class ExtraColumns(Mapping[str, ColumnData]):
    """{name: column}; each long column is spilled before the next is taken from `columns`."""

    def __init__(
        self, columns: Iterable[tuple[str, ColumnData | LazyColumn]] = (), row_count: int = 0
    ) -> None:
        self.stored: dict[str, ColumnData | LazyColumn] = {}
        self.row_count = row_count
        for name, column in columns:
            if isinstance(column, CategoricalColumn | np.ndarray):
                self.row_count = len(column)
                self.stored[name] = (
                    SpilledColumn.from_column(column) if self.row_count >= SPILL_ROWS else column
                )
            else:
                self.stored[name] = column

    def __getitem__(self, name: str) -> ColumnData:
        return self.read_rows(name, slice(None))

    def __iter__(self) -> Iterator[str]:
        return iter(self.stored)

    def __len__(self) -> int:
        return len(self.stored)

    def __contains__(self, name: object) -> bool:
        return name in self.stored  # without reading the column

    def read_rows(self, name: str, rows: slice) -> ColumnData:
        """A slice of one column; a text column keeps all its values."""
        column = self.stored[name]
        if isinstance(column, CategoricalColumn):
            return CategoricalColumn(column.codes[rows], column.values)
        return column[rows] if isinstance(column, np.ndarray) else column.read_rows(rows, self.row_count)

    def is_text(self, name: str) -> bool:
        """Whether a column holds text, without reading it."""
        column = self.stored[name]
        if isinstance(column, CategoricalColumn | np.ndarray):
            return isinstance(column, CategoricalColumn)
        return column.is_text

    def without(self, names: Iterable[str]) -> ExtraColumns:
        """The columns without some of them."""
        left = set(self) - set(names)
        return ExtraColumns(((name, self.stored[name]) for name in self if name in left), self.row_count)

    def map_columns(self, change: Callable[[ColumnData], ColumnData]) -> ExtraColumns:
        """The columns changed one after the other."""
        return ExtraColumns((name, change(self[name])) for name in self)
