"""Archives and other spreadsheets: opened when they hold one table, else refused with the reason."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.formats.readers import read_file

gzipped = partial(gzip.compress, mtime=0)  # the clock would be in the names of the tests
TABLE = b"date,store,product,sales\n2026-01-01,S,A,1.024\n2026-01-02,S,A,3\n"
Write = Callable[..., Path]


def pack(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def ods() -> bytes:
    """A small spreadsheet of LibreOffice with a true number."""
    cell = "<table:table-cell office:value-type='string'><text:p>{}</text:p></table:table-cell>"
    number = cell.replace("'string'", "'float' office:value='{0}'").replace("{}", "{0}")
    rows = [line.split(",") for line in TABLE.decode().splitlines()]
    body = "".join(
        f"<table:table-row>{''.join((number if k == 3 and j else cell).format(c) for k, c in enumerate(row))}"
        "</table:table-row>"
        for j, row in enumerate(rows)
    )
    space = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f"<?xml version='1.0'?><office:document-content xmlns:office='{space}:office:1.0' "
        f"xmlns:table='{space}:table:1.0' xmlns:text='{space}:text:1.0'><office:body><office:spreadsheet>"
        f"<table:table table:name='Sales'>{body}</table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        f"<?xml version='1.0'?><manifest:manifest xmlns:manifest='{space}:manifest:1.0'>"
        f"<manifest:file-entry manifest:full-path='/' manifest:media-type='{kind}'/></manifest:manifest>"
    )
    return pack(
        {
            "mimetype": kind.encode(),
            "content.xml": content.encode(),
            "META-INF/manifest.xml": manifest.encode(),
        }
    )


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
