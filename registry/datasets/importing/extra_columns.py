"""Columns of a dataset: the extra ones wait on disk when they are long, since memory holds only a few."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, Protocol

import numpy as np
import numpy.typing as npt

from registry.datasets.importing.values import Floats, Texts

Column = Texts | Floats
LONG = 1 << 20  # rows


class Later(Protocol):
    """A column that is read when it is asked for."""

    @property
    def is_text(self) -> bool: ...

    def some(self, rows: slice, count: int) -> Column:
        """A stretch of the rows."""
        ...


@dataclass(frozen=True)
class Waiting:
    """A column in a file without a name, which is gone with the last mention of it."""

    stream: IO[bytes]
    kind: npt.DTypeLike
    values: list[str] | None  # of a column of texts

    @classmethod
    def of(cls, column: Column) -> Waiting:
        numbers = column.codes if isinstance(column, Texts) else column
        stream = TemporaryFile(buffering=0)  # noqa: SIM115 - open as long as the column is wanted
        numbers.tofile(stream)
        return cls(stream, numbers.dtype, column.values if isinstance(column, Texts) else None)

    @property
    def is_text(self) -> bool:
        return self.values is not None

    def some(self, rows: slice, count: int) -> Column:
        start, stop, _step = rows.indices(count)
        numbers: Any = np.empty(max(0, stop - start), self.kind)
        if len(numbers):  # read at a place, since one thread writes what another still reads
            os.preadv(self.stream.fileno(), [numbers.view(np.uint8).data], start * numbers.itemsize)
        return numbers if self.values is None else Texts(numbers, self.values)


class Extras(Mapping[str, Column]):
    """{name: column}; each is put away before the next is asked for. `count`: rows, if none is there yet."""

    def __init__(self, columns: Iterable[tuple[str, Column | Later]] = (), count: int = 0) -> None:
        self.kept: dict[str, Column | Later] = {}
        self.count = count
        for name, column in columns:
            if isinstance(column, Texts | np.ndarray):
                self.count = len(column)
                self.kept[name] = Waiting.of(column) if self.count >= LONG else column
            else:
                self.kept[name] = column

    def __getitem__(self, name: str) -> Column:
        return self.some(name, slice(None))

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def __contains__(self, name: object) -> bool:
        return name in self.kept  # without reading the column

    def some(self, name: str, rows: slice) -> Column:
        """A stretch of the rows of one column; texts keep all their values."""
        kept = self.kept[name]
        if isinstance(kept, Texts):
            return Texts(kept.codes[rows], kept.values)
        return kept[rows] if isinstance(kept, np.ndarray) else kept.some(rows, self.count)

    def is_text(self, name: str) -> bool:
        kept = self.kept[name]
        return isinstance(kept, Texts) if isinstance(kept, Texts | np.ndarray) else kept.is_text

    def mapped(self, change: Callable[[Column], Column]) -> Extras:
        """Every column changed, one after the other."""
        return Extras((name, change(self[name])) for name in self)
