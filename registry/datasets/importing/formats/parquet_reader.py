"""Parquet files, a batch at a time."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.batches.encoded import EncodedFile
from registry.datasets.importing.batches.reading import read_parquet_batches
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.raw_table import (
    BATCH_ROWS,
    MAX_TABLE_BYTES,
    RawTable,
    SourceFile,
    check_column_names,
    too_large_message,
)

LARGE_ROWS = 3_000_000  # from which on a file is spilled to the disk
PANDAS_INDEX = re.compile(r"__index_level_\d+__")  # what pandas leaves in parquet files


def read_parquet(source: SourceFile) -> RawTable:
    """All columns but a pandas index; read in batches, because a damaged file can lie about its size."""
    path, name = source.path, source.name
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream)
        check_column_names(name, file.schema_arrow.names)
        texts = [column.name for column in file.schema_arrow if pa.types.is_string(column.type)]
    with path.open("rb") as stream:
        file = pq.ParquetFile(stream, read_dictionary=texts, page_checksum_verification=True)
        names = [column for column in file.schema_arrow.names if not PANDAS_INDEX.fullmatch(column)]
        if file.metadata.num_rows > LARGE_ROWS:
            batches_of = read_parquet_batches(path, name, names, texts)
            return EncodedFile(name).encode(batches_of, source.may_guess).to_sample()
        schema = pa.schema([file.schema_arrow.field(column) for column in names])
        batches, size = [], 0
        for batch in file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
            size += batch.nbytes
            if size > MAX_TABLE_BYTES:
                raise SalesFileError(too_large_message(name))
            batch.validate(full=True)
            batches.append(batch)
    table = pa.Table.from_batches(batches, schema if not batches else None)
    return RawTable(name, table, np.arange(1, table.num_rows + 1, dtype=np.int32))
