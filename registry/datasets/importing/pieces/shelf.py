"""Pieces that wait until all others were looked at: in memory if there is one, else on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns
from registry.datasets.importing.facts.series_facts import Series
from registry.datasets.importing.pieces.plan import Piece
from registry.datasets.importing.values import CategoricalColumn

RowNumbers = npt.NDArray[np.int32]
NUMBER_COLUMN = "row number"  # no column of a file: their names have been checked


@dataclass(frozen=True)
class CheckedPiece:
    """A piece with its rows, their numbers in the file (0 = not from it), and facts of rows not at hand."""

    piece: Piece
    content: CanonicalTable
    row_numbers: RowNumbers
    past: Series | None = None


@dataclass
class Shelf:
    """Keeps pieces in their order."""

    folder: Path
    is_on_disk: bool
    place: Path | None = None
    kept: list[CheckedPiece | tuple[Piece, Path, Series | None]] = field(default_factory=list)

    def put(self, one: CheckedPiece) -> None:
        """Adds a piece."""
        if not self.is_on_disk:
            self.kept.append(one)
            return
        self.place = self.place or Path(mkdtemp(prefix="pieces-", dir=self.folder))
        path = self.place / f"piece-{one.piece.bucket}.arrow"
        table = one.content.slice_to_arrow(slice(None))
        table = table.append_column(NUMBER_COLUMN, pa.array(one.row_numbers))
        with pa.ipc.new_file(
            str(path), table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as writer:
            writer.write_table(table)
        self.kept.append((one.piece, path, one.past))

    def clear(self) -> None:
        """Removes all pieces, also from the disk."""
        self.kept = []
        if self.place is not None:
            shutil.rmtree(self.place, ignore_errors=True)

    def replace(self, place: int, one: CheckedPiece) -> None:
        """Puts a changed piece in the place of another."""
        rest, self.kept = self.kept[place + 1 :], self.kept[:place]
        self.put(one)
        self.kept += rest

    def __iter__(self) -> Iterator[CheckedPiece]:
        for one in self.kept:
            if isinstance(one, CheckedPiece):
                yield one
            else:
                yield read_piece(*one)

    def __len__(self) -> int:
        return len(self.kept)


def read_piece(piece: Piece, path: Path, past: Series | None) -> CheckedPiece:
    """A piece from the disk."""
    with pa.OSFile(str(path)) as stream:
        table = pa.ipc.open_file(stream).read_all().combine_chunks()
    columns = {name: read_column(table[name]) for name in table.column_names[1:-1]}
    stores, products, sales = (columns.pop(name) for name in CORE_COLUMNS[1:])
    if not isinstance(stores, CategoricalColumn) or not isinstance(products, CategoricalColumn):
        raise TypeError(path)
    content = CanonicalTable(
        table["date"].cast(pa.int32()).to_numpy(),
        stores,
        products,
        np.asarray(sales, np.float64),
        ExtraColumns(columns.items(), table.num_rows),
    )
    return CheckedPiece(piece, content, table[NUMBER_COLUMN].to_numpy(), past)


def read_column(column: pa.ChunkedArray) -> ColumnData:
    """A column of one chunk, as it was put on the shelf."""
    if pa.types.is_dictionary(column.type):
        chunk = column.chunk(0)
        return CategoricalColumn(chunk.indices.to_numpy(), chunk.dictionary.to_pylist())
    numbers: npt.NDArray[np.float64] = column.fill_null(float("nan")).to_numpy()
    return numbers
