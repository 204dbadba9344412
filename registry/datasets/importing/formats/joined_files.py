"""What joined and printed exports leave inside a table: byte order marks, repeated headers, notes below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.findings import MAX_EXAMPLES, Example, Finding
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.values import CategoricalColumn

BYTE_ORDER_MARK = "\ufeff"
DOS_END = "\x1a"


def tidy_joined(raw: RawTable) -> RawTable:
    """The table without repeated headers; raises SalesFileError when one has another order of columns.

    Columns must be dictionary-encoded text, as the readers of CSV and spreadsheets give them.
    """
    raw = strip_marks(raw)
    names = raw.table.column_names
    if len(names) < 2 or not has_text(raw.table.column(0), names):
        return raw
    is_header = np.ones(raw.table.num_rows, dtype=bool)
    is_shuffled = is_header.copy()
    for name, column in zip(names, raw.table.columns, strict=True):
        is_header &= find_texts(column, [name])
        is_shuffled &= find_texts(column, names)
    is_shuffled &= ~is_header & ~find_texts(raw.table.column(0), [""])
    if is_shuffled.any():
        words = {"file": raw.name, "row": int(raw.row_numbers[is_shuffled][0])}
        sentence = _(
            "%(file)s, row %(row)d: the column names come again in another order. Split the file there."
        )
        raise SalesFileError(sentence % words)
    if not is_header.any():
        return raw
    rows = raw.row_numbers[is_header].tolist()
    places = [Example(row, names[0], names[0]) for row in rows[:MAX_EXAMPLES]]
    findings = [*raw.findings, Finding("header-again", len(rows), places, "drop")]
    table = raw.table.filter(pa.array(~is_header))
    return replace(raw, table=table, row_numbers=raw.row_numbers[~is_header], findings=findings)


def strip_marks(raw: RawTable) -> RawTable:
    """The table without byte order marks before the first cell of a row."""
    if not raw.table.num_columns:
        return raw
    column = raw.table.column(0)
    if not any(pc.any(pc.starts_with(part.dictionary, BYTE_ORDER_MARK)).as_py() for part in column.chunks):
        return raw
    texts = CategoricalColumn.from_arrow(column)
    values = [strip_mark(text) for text in texts.values]
    tidied = CategoricalColumn.from_codes(texts.codes, values).to_arrow(slice(None))
    name = raw.table.column_names[0]
    return replace(raw, table=raw.table.set_column(0, name, pa.chunked_array([tidied], column.type)))


def strip_mark(text: str) -> str:
    """A cell without the mark, and without the quotes that it kept from being read.

    >>> strip_mark('\\ufeff"2026-01-01"'), strip_mark("A")
    ('2026-01-01', 'A')
    """
    bare = text.lstrip(BYTE_ORDER_MARK)
    quoted = bare != text and len(bare) > 1 and bare[0] == bare[-1] == '"'
    return bare[1:-1].replace('""', '"') if quoted else bare


def has_text(column: pa.ChunkedArray, texts: Sequence[str]) -> bool:
    """Whether a cell holds one of the texts."""
    wanted = pa.array(texts, pa.string())
    return any(pc.any(pc.is_in(part.dictionary, value_set=wanted)).as_py() for part in column.chunks)


def find_texts(column: pa.ChunkedArray, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    """[N] where a cell is one of the texts."""
    wanted = pa.array(texts, pa.string())
    parts = [np.zeros(0, dtype=bool)]
    for chunk in column.chunks:
        found = np.append(pc.is_in(chunk.dictionary, value_set=wanted).to_numpy(zero_copy_only=False), False)
        codes = chunk.indices.fill_null(len(found) - 1).to_numpy(zero_copy_only=False)
        parts.append(found[codes])
    return np.concatenate(parts)


def split_notes(raw: RawTable, ragged: Sequence[tuple[int, int, str]]) -> RawTable:
    """The table with notes below it told as such: “(20 rows affected)” is no faulty row.

    `ragged` are (row number, cells, text) of the rows that could not be split into cells.
    """
    last = int(raw.row_numbers[-1]) if len(raw.row_numbers) else 0
    below = {row: text for row, cells, text in ragged if row > last and is_note(text, cells)}
    if not below:
        return raw
    findings = [finding for finding in raw.findings if finding.code != "ragged-row"]
    faulty = [Example(row, "", str(cells)) for row, cells, _text in ragged if row not in below]
    if faulty:
        findings.append(Finding("ragged-row", len(faulty), faulty[:MAX_EXAMPLES], "skip"))
    notes = [
        Example(row, "", text.strip()[:60]) for row, text in below.items() if text.strip(DOS_END + " \r\n")
    ]
    if notes:
        findings.append(Finding("rows-below", len(notes), notes[:MAX_EXAMPLES], "drop"))
    return replace(raw, findings=findings)


def is_note(text: str, cells: int) -> bool:
    """Whether a last line is a note: one cell of several words, since a row cut off has other cells."""
    return cells == 1 and (len(text.split()) > 1 or not text.strip(DOS_END + " \r\n"))
