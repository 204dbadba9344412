"""What a file is by its first bytes, since names of exports lie."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

HEAD_BYTES = 4096
OLE_START, GZIP_START, ZIP_START, PARQUET_START = b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
WEB_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|table|head|body|meta)\b", re.IGNORECASE)
BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


def sniff_kind(path: Path) -> str:
    """The suffix that the content deserves: ".xlsx", ".xlsb", ".ods", ".zip", ".xls", ".gz", ".parquet",
    ".html" for a web page, ".csv" for text, "" for anything else."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(-min(4, len(head)), os.SEEK_END)
        end = stream.read()
    if head.startswith(ZIP_START):
        return sniff_package(path)
    if head.startswith(PARQUET_START) and end == PARQUET_START and len(head) > len(end):
        return ".parquet"
    for start, kind in ((OLE_START, ".xls"), (GZIP_START, ".gz")):
        if head.startswith(start):
            return kind
    if WEB_PAGE.match(head):
        return ".html"
    is_wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))  # UTF-16 has zeros between the letters
    is_text = is_wide or not BINARY.search(head)
    return ".csv" if head and is_text and not head.startswith(ZIP_START[:2]) else ""


def sniff_package(path: Path) -> str:
    """What a zip archive holds: a workbook, or other files."""
    try:
        with zipfile.ZipFile(path) as package:
            names = set(package.namelist())
            if "[Content_Types].xml" in names:
                return ".xlsb" if "xl/workbook.bin" in names else ".xlsx"
            if "mimetype" in names:
                with package.open("mimetype") as stream:
                    return ".ods" if stream.read(100).startswith(ODS_TYPE) else ".zip"
            return ".zip"
    except Exception:  # zipfile raises anything for a damaged archive; its reader says so
        return ""
