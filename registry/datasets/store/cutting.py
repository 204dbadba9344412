"""Cuts a sorted file of sales into parts, in memory for one bucket of series. Pure: no Django."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from registry.datasets.importing.values import is_text_type
from registry.datasets.store.layout import Layout, hash_codes
from registry.datasets.store.texts import SERIES_COLUMNS, TextCodes, decode_texts, sort_by_series

BATCH_ROWS = 1 << 17
GROUP_ROWS = 1 << 15  # of a row group: a store of a chain is read without the others
BOUNDED_COLUMNS = ["date", *SERIES_COLUMNS]  # readers skip row groups by them


@dataclass(frozen=True)
class CutPart:
    """The rows of one bucket and span, in order of store, product and day."""

    bucket: int
    span: int
    rows: pa.Table

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the rows, whatever the file format."""
        digest = hashlib.sha256()
        for name in self.rows.column_names:
            digest.update(f"\x00{name}\x00".encode())
            column = self.rows[name].combine_chunks()
            if pa.types.is_dictionary(column.type):
                digest.update("\x00".join(column.dictionary.to_pylist()).encode())
                digest.update(column.indices.to_numpy().astype("<i4", copy=False).data)
            elif pa.types.is_date32(column.type):
                digest.update(column.cast(pa.int32()).to_numpy().astype("<i4", copy=False).data)
            else:  # one bit pattern for an empty cell, no negative zero
                numbers = column.fill_null(float("nan")).to_numpy(zero_copy_only=False)
                digest.update(
                    np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype("<f8", copy=False).data
                )
        return digest.hexdigest()

    @property
    def dates(self) -> tuple[object, object]:
        """The first and the last day."""
        found = pc.min_max(self.rows["date"]).as_py()
        return found["min"], found["max"]

    def to_parquet(self) -> bytes:
        """The part's file."""
        stream = pa.BufferOutputStream()
        how = {"compression": "zstd", "compression_level": 1, "write_statistics": BOUNDED_COLUMNS}
        pq.write_table(self.rows, stream, row_group_size=GROUP_ROWS, **how)
        return bytes(stream.getvalue())


def cut_file(path: Path, layout: Layout, folder: Path) -> Iterator[CutPart]:
    """The parts of a file in order of store, product and day; its buckets are spooled in the folder.

    Rows of a bucket wait on the disk, so memory holds one batch, then one bucket.
    """
    cutter = FileCutter(path, layout)
    spools = [folder / f"bucket-{bucket}.arrow" for bucket in range(layout.buckets)]
    cutter.spool_buckets(spools)
    for bucket, spool in enumerate(spools):
        if spool.exists():
            with pa.OSFile(str(spool)) as stream:
                found = pa.ipc.open_file(stream).read_all()
            spool.unlink()
            yield from cutter.cut_bucket(bucket, found)


class FileCutter:
    """Reads a file once and hands its rows out by bucket, texts as codes."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self.texts: dict[str, TextCodes] = {}
        self.hashes = [np.zeros(0, np.uint64), np.zeros(0, np.uint64)]  # of stores and products

    def spool_buckets(self, spools: list[Path]) -> None:
        """Writes the rows of each bucket to its file; buckets without rows get none."""
        with ExitStack() as stack:
            file = stack.enter_context(pq.ParquetFile(self.path))
            writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}
            for batch in file.iter_batches(BATCH_ROWS):
                rows = self._encode_batch(batch)
                owners = self._find_buckets(rows)
                for bucket in np.unique(owners).tolist():
                    part = rows if self.layout.buckets == 1 else rows.filter(pa.array(owners == bucket))
                    if bucket not in writers:
                        writer = pa.ipc.new_file(str(spools[bucket]), part.schema)
                        writers[bucket] = stack.enter_context(writer)
                    writers[bucket].write(part)

    def _encode_batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows with days and texts as integers, numbers as float64."""
        columns = {}
        for field in batch.schema:
            column = batch[field.name]
            if field.name == "date":
                columns["date"] = column.cast(pa.date32()).cast(pa.int32())
            elif is_text_type(field.type):
                columns[field.name] = pa.array(self.texts.setdefault(field.name, TextCodes()).encode(column))
            else:
                columns[field.name] = column.cast(pa.float64())
        return pa.RecordBatch.from_pydict(columns)

    def _find_buckets(self, rows: pa.RecordBatch) -> npt.NDArray[np.int32]:
        """[N] the bucket of each row."""
        sides = []
        for place, name in enumerate(SERIES_COLUMNS):
            texts, known = self.texts[name].texts, self.hashes[place]
            self.hashes[place] = np.append(known, hash_codes(texts[len(known) :]))
            sides.append(self.hashes[place][rows[name].to_numpy()])
        return self.layout.find_buckets(*sides)

    def cut_bucket(self, bucket: int, rows: pa.Table) -> Iterator[CutPart]:
        """The parts of a bucket, by span."""
        spans = self.layout.find_span(rows["date"].to_numpy())
        order = np.argsort(spans, kind="stable")
        bounds = np.flatnonzero(np.diff(spans[order], prepend=spans.min() - 1))
        for start, stop in zip(bounds, [*bounds[1:], len(order)], strict=True):
            chosen = order[start:stop]
            part = rows if len(chosen) == len(order) else rows.take(pa.array(chosen))
            span, decoded = int(spans[chosen[0]]), self._decode_rows(part)
            yield CutPart(bucket, span, sort_by_series(decoded))  # a large file comes in pieces

    def _decode_rows(self, rows: pa.Table) -> pa.Table:
        """The rows with days and texts again."""
        columns = {}
        for name in rows.column_names:
            column = rows[name].combine_chunks()
            if name == "date":
                columns[name] = column.cast(pa.date32())
            elif name in self.texts:
                columns[name] = decode_texts(column.to_numpy(), self.texts[name].texts)
            else:
                columns[name] = column
        return pa.table(columns)
