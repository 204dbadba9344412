"""Columns of a dataset: the extra ones wait on disk when they are long, since memory holds only a few."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from registry.importing.values import Floats, Texts

Column = Texts | Floats
LONG = 1 << 20  # rows


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

    def some(self, rows: slice, count: int) -> Column:
        """A stretch of the rows."""
        start, stop, _step = rows.indices(count)
        self.stream.seek(start * np.dtype(self.kind).itemsize)
        numbers: Any = np.fromfile(self.stream, self.kind, stop - start)
        return numbers if self.values is None else Texts(numbers, self.values)


class Extras(Mapping[str, Column]):
    """{name: column}; each is put away before the next is asked for."""

    def __init__(self, columns: Iterable[tuple[str, Column]] = ()) -> None:
        self.kept: dict[str, Column | Waiting] = {}
        self.count = 0
        for name, column in columns:
            self.count = len(column)
            self.kept[name] = Waiting.of(column) if self.count >= LONG else column

    def __getitem__(self, name: str) -> Column:
        return self.some(name, slice(None))

    def __iter__(self) -> Iterator[str]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def some(self, name: str, rows: slice) -> Column:
        """A stretch of the rows of one column; texts keep all their values."""
        kept = self.kept[name]
        if isinstance(kept, Waiting):
            return kept.some(rows, self.count)
        return Texts(kept.codes[rows], kept.values) if isinstance(kept, Texts) else kept[rows]

    def is_text(self, name: str) -> bool:
        kept = self.kept[name]
        return isinstance(kept, Texts) or (isinstance(kept, Waiting) and kept.values is not None)

    def mapped(self, change: Callable[[Column], Column]) -> Extras:
        """Every column changed, one after the other."""
        return Extras((name, change(self[name])) for name in self)
