"""The rows of a large file by bucket of series, each bucket in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from registry.datasets.importing.batches.encoded import SPILL, EncodedFile
from registry.datasets.importing.progress import REPORT
from registry.datasets.store.layout import Layout, hash_codes

NUMBER_COLUMN = 0  # of a bucket's file; the columns of the file follow
MAX_PAIRS = 400_000_000  # stores times products that are counted one by one


@dataclass(frozen=True)
class CodePair:
    """A column of codes: its name in the file, and the final code of each of its texts."""

    column: str
    codes: list[str]

    @property
    def values(self) -> list[str]:
        """The different final codes."""
        return sorted(set(self.codes))

    def number_texts(self) -> npt.NDArray[np.int64]:
        """[T] the number of each text's code."""
        place = {code: number for number, code in enumerate(self.values)}
        return np.array([place[code] for code in self.codes], np.int64)


def count_series(file: EncodedFile, stores: CodePair, products: CodePair) -> int:
    """How many pairs of store and product have rows, or could have where there are too many to count."""
    width = len(products.values)
    size = len(stores.values) * width
    if size > MAX_PAIRS:
        return size
    store, product = stores.number_texts(), products.number_texts()
    is_there = np.zeros(size, dtype=bool)
    for batch in file.iter_batches([stores.column, products.column]):
        codes = [batch[pair.column].to_numpy() for pair in (stores, products)]
        is_there[store[codes[0]] * width + product[codes[1]]] = True
    return int(is_there.sum())


@dataclass
class RowBuckets:
    """Sorts the rows of a file into buckets; `layout` says which series is in which."""

    file: EncodedFile
    layout: Layout
    columns: list[str]
    folder: Path

    def sort(self, stores: CodePair, products: CodePair, numbers: Iterator[npt.NDArray[np.int32]]) -> None:
        """Writes each row to the file of its bucket, with its number."""
        hashes = [hash_codes(pair.codes) for pair in (stores, products)]
        with ExitStack() as stack:
            writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
            done = 0
            for batch, number in zip(self.file.iter_batches(self.columns), numbers, strict=True):
                sides = [
                    known[batch[pair.column].to_numpy()]
                    for known, pair in zip(hashes, (stores, products), strict=True)
                ]
                owners = self.layout.find_buckets(sides[0], sides[1])
                table = pa.table([pa.array(number), *batch.values()], names=["", *self.columns])
                order = np.argsort(owners.astype(np.uint16), kind="stable")
                table = table.take(pa.array(order))
                bounds = np.searchsorted(owners[order], np.arange(self.layout.buckets + 1)).tolist()
                for bucket in np.unique(owners).tolist():
                    part = table.slice(bounds[bucket], bounds[bucket + 1] - bounds[bucket])
                    if bucket not in writers:
                        writer = pa.ipc.new_stream(str(self.path(bucket)), table.schema, options=SPILL)
                        writers[bucket] = stack.enter_context(writer)
                    writers[bucket].write_table(part)
                done += len(number)
                REPORT.note("sort", done, self.file.row_count)

    def path(self, bucket: int) -> Path:
        """The file of a bucket."""
        return self.folder / f"bucket-{bucket}.arrow"

    def read(self, bucket: int) -> tuple[pa.Table, npt.NDArray[np.int32]] | None:
        """The rows of a bucket in their order, texts as texts, and their numbers; None for no rows."""
        if not self.path(bucket).exists():
            return None
        with pa.OSFile(str(self.path(bucket))) as stream:
            table = pa.ipc.open_stream(stream).read_all().combine_chunks()
        columns = {}
        for name in self.columns:
            column = table[name]
            if name in self.file.texts:
                values = pa.array(self.file.texts[name].codes.texts, pa.string())
                chunks = [pa.DictionaryArray.from_arrays(one, values) for one in column.chunks]
                column = pa.chunked_array(chunks)
            columns[name] = column
        return pa.table(columns), table.column(NUMBER_COLUMN).to_numpy()
