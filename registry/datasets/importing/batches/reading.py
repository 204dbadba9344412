"""Large CSV and parquet files, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding
from registry.datasets.importing.formats.joined_files import tidy_joined
from registry.datasets.importing.progress import REPORT
from registry.datasets.importing.raw_table import RawTable, drop_empty_rows

BATCH_ROWS = 1 << 18
BLOCK_BYTES = 8 << 20


def read_parquet_batches(
    path: Path, name: str, columns: Sequence[str], texts: list[str]
) -> Iterator[RawTable]:
    """The rows of a parquet file; a damaged one can lie about its size."""
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream, read_dictionary=texts, page_checksum_verification=True)
        start, size = 1, path.stat().st_size
        for batch in file.iter_batches(BATCH_ROWS, columns=list(columns), use_threads=False):
            batch.validate(full=True)
            numbers = np.arange(start, start + batch.num_rows, dtype=np.int32)
            start += batch.num_rows
            REPORT.note("read", size * (start - 1) // max(1, file.metadata.num_rows), size)
            yield RawTable(name, pa.Table.from_batches([batch]), numbers)


@dataclass
class CsvBatches:
    """The rows of a CSV file below its header, whose first row has the number `next_number`.

    `ragged` fills with (number, cells, text) of rows that cannot be split, while the batches are read.
    """

    name: str
    next_number: int
    rows_skipped: int  # above the header, that the reader does not count
    ragged: list[tuple[int, int, str]] = field(default_factory=list)

    def note_ragged(self, row: pacsv.InvalidRow) -> str:
        """Notes a row with too few or too many cells, and skips it."""
        self.ragged.append((row.number + self.rows_skipped, row.actual_columns, row.text or ""))
        return "skip"

    def number_rows(self, count: int) -> npt.NDArray[np.int32]:
        """[N] the numbers of the next rows."""
        known = {row for row, _cells, _text in self.ragged if row >= self.next_number}
        found = np.arange(self.next_number, self.next_number + count + len(known), dtype=np.int32)
        if known:
            found = found[~np.isin(found, list(known))][:count]
        if count:
            self.next_number = int(found[-1]) + 1
        return found

    def read(self, reader: Iterator[pa.RecordBatch], stream: pa.NativeFile, size: int) -> Iterator[RawTable]:
        """The batches without empty rows and repeated headers; `size`: bytes of the stream."""
        for batch in reader:
            REPORT.note("read", stream.tell(), size)
            numbers = self.number_rows(batch.num_rows)
            table, numbers = drop_empty_rows(pa.Table.from_batches([batch]), numbers)
            if len(numbers):
                yield tidy_joined(RawTable(self.name, table, numbers))

    def describe_ragged(self) -> list[Finding]:
        """The finding about rows that could not be split."""
        if not self.ragged:
            return []
        places = [Example(row, "", str(cells)) for row, cells, _text in self.ragged[:MAX_EXAMPLES]]
        return [Finding("ragged-row", len(self.ragged), places, "skip")]
