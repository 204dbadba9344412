"""Writes pieces as one parquet file, whose metadata hold what was left out and the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from registry.datasets.importing.canonical import LEFT_OUT_KEY, ROW_GROUP_SIZE, CanonicalTable
from registry.datasets.importing.facts.sales_facts import FACTS_KEY, SalesFacts
from registry.datasets.store.texts import TEXT_TYPE
from registry.series.left_out import LeftOutSales

BOUNDED_COLUMNS = ["date", "store_id", "product_id"]  # readers of one store skip row groups by them


def write_pieces(
    path: Path,
    pieces: Iterator[CanonicalTable],
    kinds: Mapping[str, bool],
    told: tuple[LeftOutSales, SalesFacts],
) -> None:
    """Writes dates as date32, codes and texts as dictionaries, numbers as float64 or missing.

    `kinds` are the extra columns in their order, {name: whether it holds text}. One row group at a time, so
    twenty million rows need little more memory than one group.
    """
    how = {"compression": "zstd", "compression_level": 1, "write_statistics": BOUNDED_COLUMNS}
    types = [(name, TEXT_TYPE if is_text else pa.float64()) for name, is_text in kinds.items()]
    core = [
        ("date", pa.date32()),
        ("store_id", TEXT_TYPE),
        ("product_id", TEXT_TYPE),
        ("sales", pa.float64()),
    ]
    schema = pa.schema([*core, *types])
    left_out, facts = told
    with pq.ParquetWriter(path, schema, **how) as writer:
        for content in pieces:
            for start in range(0, content.row_count, ROW_GROUP_SIZE):
                part = content.slice_to_arrow(slice(start, start + ROW_GROUP_SIZE))
                writer.write_table(complete(part, schema), row_group_size=ROW_GROUP_SIZE)
        metadata = {FACTS_KEY: facts.to_bytes()}
        if left_out.spans:
            metadata[LEFT_OUT_KEY] = left_out.to_json().encode()
        writer.add_key_value_metadata(metadata)


def complete(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with an empty column in the place of each that it lacks."""
    if table.schema.names == schema.names:
        return table.cast(schema)
    columns = []
    for field in schema:
        if field.name in table.column_names:
            columns.append(table[field.name])
        elif pa.types.is_dictionary(field.type):
            blank = pa.DictionaryArray.from_arrays(np.zeros(table.num_rows, np.int32), pa.array([""]))
            columns.append(pa.chunked_array([blank]))
        else:
            columns.append(pa.chunked_array([pa.nulls(table.num_rows, field.type)]))
    return pa.table(columns, schema=schema)
