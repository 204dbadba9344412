"""Frames as rows of a CSV or parquet file that is written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import pandas as pd


@contextmanager
def write_whole(path: Path | None) -> Iterator[Callable[[pd.DataFrame], None]]:
    """What adds rows to the file, which is written whole or not at all: to a temporary file, then renamed."""
    if path is None:
        yield lambda frame: None
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with ExitStack() as files:
            if path.suffix.lower() == ".parquet":
                writer = ParquetRows(part)
                files.callback(writer.close)
                yield writer.add
            else:
                text = files.enter_context(part.open("w", encoding="utf-8", newline=""))
                yield partial(add_csv_rows, text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class ParquetRows:
    """A parquet file that grows by frames with the same columns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: pq.ParquetWriter | None = None

    def add(self, frame: pd.DataFrame) -> None:
        """Adds a row group."""
        table = pa.Table.from_pandas(frame, preserve_index=False)
        self.writer = self.writer or pq.ParquetWriter(self.path, table.schema)
        self.writer.write_table(table)

    def close(self) -> None:
        """Ends the file."""
        if self.writer is not None:
            self.writer.close()


def add_csv_rows(text: TextIO, frame: pd.DataFrame) -> None:
    """Adds the rows, under one header."""
    head = text.tell() == 0
    escape_codes(frame).to_csv(text, header=head, index=False, float_format="%.4f", date_format="%Y-%m-%d")


def escape_codes(frame: pd.DataFrame) -> pd.DataFrame:
    """Quotes codes that a spreadsheet would take for a formula."""
    codes = ("store_id", "product_id")
    return frame.assign(
        **{name: frame[name].astype(str).str.replace(r"^(?=[=+\-@\t\r])", "'", regex=True) for name in codes}
    )
