"""The encoding of a text file, proved by decoding all of it."""

from __future__ import annotations

import codecs
from pathlib import Path

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError

READ_BYTES = 1 << 20  # decoded at a time
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ENCODING_LABELS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "gb18030": "GB18030",
    "cp1252": "Latin-1",
}


def detect_encoding(path: Path, name: str) -> str:
    """Python's name of the encoding; raises SalesFileError when the file is not text."""
    with path.open("rb") as stream:
        head = stream.read(READ_BYTES)
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return require_encoding(path, name, encoding)
    if b"\0" in head and not head.startswith(b"PAR1"):
        return require_encoding(
            path, name, "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        )
    if b"\0" not in head and not head.startswith(b"PAR1"):
        for encoding in ("utf-8", "gb18030", "cp1252"):
            if is_decodable(path, encoding) and (encoding != "gb18030" or is_chinese(head)):
                return encoding
    raise not_text_error(name)


def require_encoding(path: Path, name: str, encoding: str) -> str:
    """The encoding; raises SalesFileError when the file is not text of it."""
    if not is_decodable(path, encoding):
        raise not_text_error(name)
    return encoding


def not_text_error(name: str) -> SalesFileError:
    """The complaint about a file that is not text."""
    return SalesFileError(
        _("%(file)s is not a text file: use CSV in UTF-8, Excel (.xlsx) or parquet.") % {"file": name}
    )


def is_decodable(path: Path, encoding: str) -> bool:
    """Whether the whole file is text of the encoding, without NUL characters."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(READ_BYTES):
                if "\0" in decoder.decode(chunk):
                    return False
            return "\0" not in decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False


def is_chinese(head: bytes) -> bool:
    """Whether most characters are common Chinese ones, since Latin-1 text can be valid GB18030 by chance.

    >>> is_chinese("日期,门店,销量".encode("gb18030")), is_chinese("Müller;Crème;Größe".encode("latin-1"))
    (True, False)
    """
    foreign = [letter for letter in head.decode("gb18030", errors="ignore") if not letter.isascii()]
    common = sum(is_common_chinese(letter) for letter in foreign)
    return common > 0.7 * len(foreign)


def is_common_chinese(letter: str) -> bool:
    """Whether a character is in GB2312, the common ones of GB18030."""
    try:
        return bool(letter.encode("gb2312"))
    except UnicodeEncodeError:
        return False
