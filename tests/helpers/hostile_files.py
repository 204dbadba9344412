"""Files that mean harm, or that broken programs write: {name: content}. None of them may hurt the server."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "date,store_id,product_id,sales\n"
ROW = "2026-01-01,S,A,1\n"
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{(chr(38) + chr(97 + i) + chr(59)) * 10}">' for i in range(9))
    + "]><sst>&j;</sst>"
)


def small() -> pd.DataFrame:
    days = pd.date_range("2026-01-01", periods=60)
    return pd.DataFrame({"date": days, "store_id": "S", "product_id": "A", "sales": range(60)})


def parquet(table: pa.Table | pd.DataFrame, **how: object) -> bytes:
    table = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table, preserve_index=False)
    sink = io.BytesIO()
    pq.write_table(table, sink, **how)
    return sink.getvalue()


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """A file in which a few bytes are others or are missing."""
    content = bytearray(whole)
    for _ in range(chance.choice([1, 2, 8])):
        place = chance.randrange(len(content))
        if chance.random() < 0.7:
            content[place] = chance.randrange(256)
        else:
            del content[place : place + chance.randrange(1, 30)]
    return bytes(content)


def workbook() -> bytes:
    sink = io.BytesIO()
    small().to_excel(sink, index=False)
    return sink.getvalue()


def repacked(changes: dict[str, bytes]) -> bytes:
    """A good workbook with some parts replaced or added."""
    sink = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook())) as old,
        zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            new.writestr(name, content)
    return sink.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
SPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def sheet(rows: str, extra: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?><worksheet {SPACE}>{extra}<sheetData>{rows}</sheetData></worksheet>'.encode()
    )


def texts() -> Iterator[tuple[str, bytes]]:
    """CSV files."""
    good = (HEADER + ROW * 1).encode()
    yield "nul-inside.csv", good + b"2026-01-02,S,A\0B,1\n"
    yield "nul-late.csv", good + b"2026-01-02,S,A,1\n" * 100_000 + b"2026-01-03,S,\0,1\n"
    yield "only-nul.csv", b"\0" * 5000
    yield "columns.csv", (",".join(f"c{i}" for i in range(100_000)) + "\n" + "1," * 100_000).encode()
    yield "one-line.csv", b"a" * 30_000_000
    yield "empty-lines.csv", HEADER.encode() + b"\n" * 20_000_000
    yield "ragged.csv", HEADER.encode() + b",,,,,,,,\n" * 1_000_000
    yield "open-quote.csv", HEADER.encode() + b'2026-01-01,S,"A,1\n' * 200_000
    yield "noise.csv", random.Random(1).randbytes(200_000)
    yield "picture.csv", b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(50_000)
    yield "parquet.csv", parquet(small())
    yield "workbook.csv", workbook()
    yield "packed.csv", gzip.compress(good * 1000)
    yield "formula.csv", (HEADER + "2026-01-01,S,=cmd|'/C calc'!A0,1\n2026-01-02,@SUM(A1),A,+1\n").encode()
    yield "paths.csv", (HEADER + "2026-01-01,../../etc/passwd,/dev/zero,1\n2026-01-02,C:\\x,~/y,2\n").encode()
    yield "mark-only.csv", b"\xef\xbb\xbf"
    yield "half-utf16.csv", b"\xff\xfe" + (HEADER + ROW).encode("utf-16-le")[:-1]
    yield "bad-utf8.csv", HEADER.encode() + b"2026-01-01,S,\xc3\x28\x81,1\n"
    yield "surrogates.csv", HEADER.encode() + b"2026-01-01,S,\xed\xa0\x80,1\n"
    yield "huge-number.csv", (HEADER + "2026-01-01,S,A," + "9" * 200_000 + "\n").encode()
    yield "huge-cell.csv", (HEADER + "2026-01-01,S," + "A" * 5_000_000 + ",1\n").encode()
    yield "infinite.csv", (HEADER + "2026-01-01,S,A,1e999\n2026-01-02,S,A,inf\n").encode()
    yield "far-days.csv", (HEADER + "99999-01-01,S,A,1\n0000-00-00,S,A,1\n").encode()
    yield "old-mac.csv", (HEADER + ROW).replace("\n", "\r").encode()
    yield "wide-span.csv", (HEADER + "1900-01-01,S,A,1\n2026-01-01,S,A,1\n").encode()
    yield "codes.csv", (HEADER + "".join(f"2026-01-01,S{i},A,1\n" for i in range(150_000))).encode()
    yield "header-controls.csv", b"da\x07te,sto\x1bre_id,product_id,sales\n1,2,3,4\n"
    yield "empty.csv", b""
    yield "sep.csv", b",,,,,,,\n,,,,,,,\n"


def workbooks() -> Iterator[tuple[str, bytes]]:
    """Excel files."""
    whole = workbook()
    yield "csv.xlsx", (HEADER + ROW).encode()
    yield "truncated.xlsx", whole[: len(whole) // 2]
    yield "damaged.xlsx", whole[:600] + b"\xff" * 40 + whole[640:]
    yield "locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4000
    yield "laughs.xlsx", repacked({"xl/sharedStrings.xml": LAUGHS.encode()})
    yield "laughs16.xlsx", repacked({SHEET: LAUGHS.encode("utf-16")})
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><sst>&f;</sst>'
    yield "entity.xlsx", repacked({"xl/sharedStrings.xml": entity.encode()})
    yield "bomb.xlsx", repacked({SHEET: sheet("<row><c><v>1</v></c></row>" * 16_000_000)})
    yield "many-parts.xlsx", repacked({f"xl/p{i}.xml": b"<a/>" for i in range(3000)})
    yield "outside.xlsx", repacked({"../../../../tmp/evil.xml": b"<a/>"})
    yield "no-sheet.xlsx", repacked({SHEET: b""})
    yield "bad-xml.xlsx", repacked({SHEET: b"<worksheet><sheetData><row>"})
    yield "far-row.xlsx", repacked({SHEET: sheet('<row r="900000000"><c r="A900000000"><v>1</v></c></row>')})
    lying = '<dimension ref="A1:XFD1048576"/>'
    yield "lying-size.xlsx", repacked({SHEET: sheet('<row r="1"><c r="A1"><v>1</v></c></row>', lying)})
    position = whole.rfind(b"PK\x01\x02")
    yield (
        "lying-entry.xlsx",
        whole[: position + 24] + struct.pack("<I", 4_000_000_000) + whole[position + 28 :],
    )
    deep = "<a>" * 100_000
    yield "deep.xlsx", repacked({SHEET: f'<?xml version="1.0"?><worksheet {SPACE}>{deep}'.encode()})


def columnar() -> Iterator[tuple[str, bytes]]:
    """Parquet files."""
    whole = parquet(small())
    yield "csv.parquet", (HEADER + ROW).encode()
    yield "truncated.parquet", whole[: len(whole) // 2]
    yield "marks-only.parquet", b"PAR1PAR1"
    yield "footer-length.parquet", whole[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"
    yield "footer-noise.parquet", whole[:-200] + random.Random(3).randbytes(192) + whole[-8:]
    many = pa.DictionaryArray.from_arrays(pa.array(np.zeros(60_000_000, np.int8)), ["x" * 50])
    bomb = pa.table({"date": many, "store_id": many, "product_id": many, "sales": many})
    yield "bomb.parquet", parquet(bomb, compression="zstd")
    fat = pa.DictionaryArray.from_arrays(pa.array(np.zeros(30_000, np.int32)), ["x" * 1_000_000])
    yield "fat.parquet", parquet(pa.table({"date": fat, "sales": fat}), compression="zstd")
    blobs = pa.array([b"\xff\xfe"] * 5, pa.binary())
    columns = ("date", "store_id", "product_id", "sales")
    yield "binary.parquet", parquet(pa.table(dict.fromkeys(columns, blobs)))
    yield "columns.parquet", parquet(pa.table({f"c{i}": [1] for i in range(20_000)}))
    lists = small().assign(sales=[[1, 2]] * 60)
    yield "lists.parquet", parquet(lists)
    yield "dates-lists.parquet", parquet(small().assign(date=[["2026"]] * 60))
    yield "no-rows.parquet", parquet(small()[:0])
    yield "no-columns.parquet", parquet(pa.table({}))
    lie = bytearray(whole)
    at = whole.rfind(struct.pack("<B", 60))
    lie[at] = 0x7F
    yield "lying-rows.parquet", bytes(lie)


def files() -> dict[str, bytes]:
    return dict([*texts(), *workbooks(), *columnar()])
