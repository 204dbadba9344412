"""Archives and other spreadsheets: opened when they hold one table, else refused with the reason."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.readers import read_file
from tests.registry.datasets.importing.open_document import build_spreadsheet, pack

gzipped = partial(gzip.compress, mtime=0)  # the clock would be in the names of the tests
TABLE = b"date,store,product,sales\n2026-01-01,S,A,1.024\n2026-01-02,S,A,3\n"
Write = Callable[..., Path]


def ods() -> bytes:
    """A small spreadsheet of LibreOffice with true numbers."""
    header, *rows = [line.split(",") for line in TABLE.decode().splitlines()]
    return build_spreadsheet({"Sales": [header, *([*cells, float(sales)] for *cells, sales in rows)]})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.zip", pack({"__MACOSX/._a.csv": b"?", "a/a.csv": TABLE, "readme.txt": b"hello"})),
        ("x.csv.gz", gzipped(TABLE)),
        ("x.gz", gzipped(TABLE)),
        ("x.ods", ods()),
        ("x.xls", ods()),
        ("x.xls", TABLE.replace(b",", b"\t")),
        ("x.csv", gzipped(TABLE)),
    ],
)
def test_one_table_is_opened_whatever_holds_it(name: str, content: bytes, write: Write) -> None:
    raw = read_file(write(content, name))
    assert raw.table.num_rows == 2 and raw.table.column_names == ["date", "store", "product", "sales"]


def test_a_true_number_of_a_spreadsheet_is_never_a_thousand(write: Write) -> None:
    assert read_file(write(ods(), "x.ods")).table["sales"].to_pylist() == ["1.0240", "3"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.zip", pack({"feb.csv": TABLE, "mar.csv": TABLE}), "holds 2 tables"),
        ("x.zip", pack({"a.csv.gz": gzipped(TABLE)}), "holds no table"),
        ("x.zip", pack({"a.csv": pack({"b.csv": TABLE})}), "holds another archive"),
        ("x.gz", gzipped(gzipped(TABLE)), "holds another archive"),
        ("x.zip", pack({"a.csv": b"0" * (50 << 20)}), "unpacks to more than"),
        ("x.csv.gz", gzipped(b"0" * (50 << 20)), "unpacks to more than"),
        ("x.csv.gz", gzipped(TABLE)[:-9], "is damaged"),
        ("x.zip", pack({"a.csv": TABLE})[:-30], "is damaged"),
        ("x.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(3000), "protected by a password"),
        ("x.xls", b"<html><table><tr><td>date</td></tr></table>", "web page"),
        ("x.xls", b"<?xml version='1.0'?><?mso-application progid='Excel.Sheet'?>", "web page"),
    ],
)
def test_other_containers_are_refused_with_the_reason(
    name: str, content: bytes, words: str, write: Write
) -> None:
    with pytest.raises(SalesFileError, match=words) as caught:
        read_file(write(content, name))
    assert str(caught.value).startswith(name) and str(caught.value).endswith(".")
