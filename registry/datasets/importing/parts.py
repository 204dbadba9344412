"""The content of a version that is stored in parts, as one table in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.covariate_roles import CORE_COLUMNS
from registry.datasets.importing.extra_columns import ColumnData, ExtraColumns, SpilledColumn
from registry.datasets.importing.merge import cast_floats
from registry.datasets.importing.values import CategoricalColumn, is_text_type
from registry.datasets.store.texts import SERIES_COLUMNS, TextCodes, find_order


def load_parts(paths: Iterable[Path], with_extras: bool = True) -> CanonicalTable:
    """The rows of all parts; extra columns are read on demand, or left out."""
    files = PartFiles.find(sorted(paths))
    days = files.read_days()
    stores, products = (files.read_texts(name) for name in SERIES_COLUMNS)
    sales = files.read_numbers("sales")
    names = sorted(set(files.kinds) - set(CORE_COLUMNS)) if with_extras else []
    order = find_order(stores.codes, products.codes, days)
    if order is not None:  # kept on disk in 4 bytes for each row, because only extra columns need it again
        days, sales = days[order], sales[order]
        stores = CategoricalColumn(stores.codes[order], stores.values)
        products = CategoricalColumn(products.codes[order], products.values)
        kept = SpilledColumn.from_column(CategoricalColumn(order.astype(np.int32), []))
        columns: list[tuple[str, PartsColumn]] = [(name, PartsColumn(files, name, kept)) for name in names]
    else:
        columns = [(name, PartsColumn(files, name)) for name in names]
    return CanonicalTable(days, stores, products, sales, ExtraColumns(columns, files.row_count))


@dataclass(frozen=True)
class PartFiles:
    """Files of parts, and the type of each column that any of them has."""

    paths: Sequence[Path]
    kinds: dict[str, pa.DataType]
    row_count: int

    @classmethod
    def find(cls, paths: Sequence[Path]) -> PartFiles:
        """What the files hold."""
        kinds: dict[str, pa.DataType] = {}
        row_count = 0
        for path in paths:
            with pq.ParquetFile(path) as file:
                row_count += file.metadata.num_rows
                kinds |= {field.name: field.type for field in file.schema_arrow}
        return cls(paths, kinds, row_count)

    def read_days(self) -> npt.NDArray[np.int32]:
        """[N] the days since 1970."""
        days = np.empty(self.row_count, np.int32)
        for rows, column in self._iter_columns("date"):
            days[rows] = column.cast(pa.int32()).to_numpy()
        return days

    def read_numbers(self, name: str) -> npt.NDArray[np.float64]:
        """[N] the numbers; NaN for an empty cell, and where a part lacks the column."""
        numbers = np.full(self.row_count, np.nan)
        for rows, column in self._iter_columns(name):
            numbers[rows] = cast_floats(column)
        return numbers

    def read_texts(self, name: str) -> CategoricalColumn:
        """[N] the texts; "" for an empty cell, and where a part lacks the column."""
        texts, codes = TextCodes(), np.full(self.row_count, -1, np.int32)
        for rows, column in self._iter_columns(name):
            codes[rows] = texts.encode(column.unify_dictionaries().combine_chunks())
        return CategoricalColumn.from_codes(codes, texts.texts)

    def _iter_columns(self, name: str) -> Iterator[tuple[slice, pa.ChunkedArray]]:
        """The column of each part that has it, with the place of its rows."""
        start = 0
        for path in self.paths:
            with pq.ParquetFile(path) as file:
                rows = slice(start, start + file.metadata.num_rows)
                start = rows.stop
                if name in file.schema_arrow.names:
                    yield rows, file.read([name])[name]


@dataclass(frozen=True)
class PartsColumn:
    """An extra column of the parts, read on demand; `order` holds the rows in order of the table."""

    files: PartFiles
    name: str
    order: SpilledColumn | None = None

    @property
    def is_text(self) -> bool:
        return is_text_type(self.files.kinds[self.name])

    def read_rows(self, rows: slice, row_count: int) -> ColumnData:
        """A slice of the rows."""
        column = self.files.read_texts(self.name) if self.is_text else self.files.read_numbers(self.name)
        if self.order is None:
            places: slice | npt.NDArray[np.int32] = rows
        else:
            kept = self.order.read_rows(rows, row_count)
            places = kept.codes if isinstance(kept, CategoricalColumn) else kept.astype(np.int32)
        if isinstance(column, CategoricalColumn):
            return CategoricalColumn(column.codes[places], column.values)
        return column[places]
