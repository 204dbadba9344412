"""The columns of a large file on the disk: texts as codes, other values as they are, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import MAX_EXAMPLES, Finding
from registry.datasets.importing.raw_table import RawTable, too_large_message
from registry.datasets.importing.values import is_text_type
from registry.datasets.store.texts import TextCodes

MAX_ROWS = 1 << 29
MAX_TEXTS = 1_000_000  # different ones of a column
SAMPLE_ROWS = 200_000  # that the columns are recognized by
SPILL = pa.ipc.IpcWriteOptions(compression="lz4")
RowNumbers = npt.NDArray[np.int32]


@dataclass
class EncodedTexts:
    """The different texts of a column: how often each occurs, and in which row first."""

    codes: TextCodes = field(default_factory=TextCodes)
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    first_rows: RowNumbers = field(default_factory=lambda: np.zeros(0, np.int32))

    def encode(self, column: pa.ChunkedArray, numbers: RowNumbers) -> npt.NDArray[np.int32]:
        """[N] codes of some rows with these numbers."""
        known = len(self.codes.texts)
        parts = [self.codes.encode(chunk) for chunk in column.chunks]
        codes = np.concatenate(parts) if parts else np.zeros(0, np.int32)
        size = len(self.codes.texts)
        counts = np.bincount(codes, minlength=size)
        counts[:known] += self.counts
        self.counts = counts
        if size > known:
            new = np.flatnonzero(codes >= known)[::-1]  # backwards: the first row is written last
            self.first_rows = np.append(self.first_rows, np.zeros(size - known, np.int32))
            self.first_rows[codes[new]] = numbers[new]
        return codes

    def to_column(self) -> pa.ChunkedArray:
        """Each text once, in order of their codes."""
        values = pa.array(self.codes.texts, pa.string())
        codes = np.arange(len(values), dtype=np.int32)
        return pa.chunked_array([pa.DictionaryArray.from_arrays(codes, values)])


@dataclass
class EncodedFile:
    """A large file. `texts` are its columns of text, `sample` its first rows."""

    name: str
    folder: Path = field(default_factory=lambda: Path(mkdtemp(prefix="encoded-")))
    texts: dict[str, EncodedTexts] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    row_count: int = 0
    filled: dict[str, int] = field(default_factory=dict)  # cells with a value, of columns without texts
    findings: dict[str, Finding] = field(default_factory=dict)
    numbers: list[RowNumbers] = field(default_factory=list)  # of the sample
    sample: list[pa.Table] = field(default_factory=list)
    last_row: int = 0
    is_partial: bool = False

    def encode(self, batches: Iterator[RawTable], may_stop: bool = False) -> EncodedFile:
        """Writes all batches to the disk, or with `may_stop` only those of the sample.

        Raises SalesFileError where there is too much.
        """
        with ExitStack() as stack:
            writers: dict[str, pa.ipc.RecordBatchStreamWriter] = {}
            schema = pa.schema([("", pa.int32())])
            numbers = stack.enter_context(pa.ipc.new_stream(str(self._numbers), schema, options=SPILL))
            for raw in batches:
                self._note(raw)
                numbers.write_batch(pa.record_batch([pa.array(raw.row_numbers)], names=[""]))
                for name in self.columns:
                    column = self._encode_column(name, raw).combine_chunks()
                    if name not in writers:
                        schema = pa.schema([(name, column.type)])
                        writer = pa.ipc.new_stream(str(self._path(name)), schema, options=SPILL)
                        writers[name] = stack.enter_context(writer)
                    writers[name].write_batch(pa.record_batch([column], names=[name]))
                if may_stop and self.row_count >= SAMPLE_ROWS:
                    self.is_partial = True
                    break
        return self

    def _note(self, raw: RawTable) -> None:
        self.columns = self.columns or raw.table.column_names
        self.row_count += raw.table.num_rows
        if self.row_count > MAX_ROWS:
            raise SalesFileError(too_large_message(self.name))
        if len(raw.row_numbers):
            self.last_row = int(raw.row_numbers[-1])
        if sum(map(len, self.numbers)) < SAMPLE_ROWS:
            self.sample.append(raw.table)
            self.numbers.append(raw.row_numbers)
        for finding in raw.findings:
            there = self.findings.setdefault(finding.code, Finding(finding.code, 0, [], finding.action))
            there.count += finding.count
            there.examples += finding.examples[: MAX_EXAMPLES - len(there.examples)]

    def _encode_column(self, name: str, raw: RawTable) -> pa.ChunkedArray:
        column = raw.table[name]
        if not is_text_type(column.type):
            self.filled[name] = self.filled.get(name, 0) + len(column) - column.null_count
            return column
        texts = self.texts.setdefault(name, EncodedTexts())
        codes = texts.encode(column, raw.row_numbers)
        if len(texts.codes.texts) > MAX_TEXTS:
            raise SalesFileError(too_many_texts_message(self.name, name))
        return pa.chunked_array([pa.array(codes)])

    def _path(self, name: str) -> Path:
        return self.folder / f"column-{self.columns.index(name)}.arrow"

    def add_constant(self, name: str, text: str) -> None:
        """Adds a column that holds the same text in every row."""
        self.columns.append(name)
        texts = EncodedTexts()
        texts.codes.encode(pa.array([text]))
        texts.counts, texts.first_rows = np.array([self.row_count]), np.ones(1, np.int32)
        with pa.ipc.new_stream(
            str(self._path(name)), pa.schema([(name, pa.int32())]), options=SPILL
        ) as writer:
            for numbers in self.iter_numbers():
                writer.write_batch(
                    pa.record_batch([pa.array(np.zeros(len(numbers), np.int32))], names=[name])
                )
        self.texts[name] = texts

    def encode_codes(self, name: str) -> None:
        """Turns a column of numbers into one of texts: it holds codes of stores or products."""
        texts, path = EncodedTexts(), self._path(name)
        target = path.with_suffix(".new")
        with pa.ipc.new_stream(str(target), pa.schema([(name, pa.int32())]), options=SPILL) as writer:
            for batch in self._read(name):
                column = batch.column(0)
                rows = np.zeros(len(column), np.int32)
                codes = texts.encode(pa.chunked_array([format_codes(column)]), rows)
                writer.write_batch(pa.record_batch({name: pa.array(codes)}))
                if len(texts.codes.texts) > MAX_TEXTS:
                    raise SalesFileError(too_many_texts_message(self.name, name))
        if all(text.endswith(".0") for text in texts.codes.texts if text):
            texts.codes.texts = [text.removesuffix(".0") for text in texts.codes.texts]
        target.replace(path)
        self.texts[name] = texts

    def _read(self, name: str) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(self._path(name))) as stream:
            yield from pa.ipc.open_stream(stream)

    @property
    def _numbers(self) -> Path:
        return self.folder / "numbers.arrow"

    def iter_numbers(self) -> Iterator[RowNumbers]:
        """The numbers of all rows, in the same batches."""
        with pa.OSFile(str(self._numbers)) as stream:
            for batch in pa.ipc.open_stream(stream):
                yield batch.column(0).to_numpy()

    def iter_batches(self, names: list[str]) -> Iterator[Mapping[str, pa.Array]]:
        """Some columns of all rows, in the same batches each time."""
        readers = [self._read(name) for name in names]
        for batches in zip(*readers, strict=True):
            yield {name: batch.column(0) for name, batch in zip(names, batches, strict=True)}

    def to_sample(self) -> RawTable:
        """The first rows as a table, with what was found in all of them."""
        table = pa.concat_tables(self.sample).unify_dictionaries() if self.sample else pa.table({})
        numbers = np.concatenate(self.numbers) if self.numbers else np.zeros(0, np.int32)
        self.sample, self.numbers = [], []
        return RawTable(self.name, table, numbers, list(self.findings.values()), large=self)


def format_codes(column: pa.Array) -> pa.Array:
    """Numbers as texts; a fraction of a column of whole numbers is told later."""
    if pa.types.is_floating(column.type):
        values = column.dictionary_encode()
        texts = [None if one is None else repr(float(one)) for one in values.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(values.indices, pa.array(texts, pa.string()))
    return column.cast(pa.string())


def too_many_texts_message(file: str, column: str) -> str:
    """The complaint about a column with a different text in almost every row."""
    words = {"file": file, "column": column, "count": MAX_TEXTS}
    sentence = _(
        "%(file)s, column %(column)s has more than %(count)d different texts: leave the column out of "
        "the file, or split the file by month."
    )
    return sentence % words
