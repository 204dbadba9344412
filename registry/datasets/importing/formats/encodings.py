"""The encoding of a text file: proved by decoding all of it, else asked of the user with samples."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.formats.encoding_candidates import EncodingCandidate, propose_encodings

READ_BYTES = 1 << 20  # decoded at a time
SAMPLE_BYTES = 1 << 18  # around the first byte that is not UTF-8
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
BINARY_START = b"PAR1"
CONTROL_BYTES = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")
JAPANESE_ESCAPE = re.compile(rb"\x1b\$[@B]|\x1b\([BJI]")  # ISO-2022-JP is written in ASCII


@dataclass(frozen=True)
class DetectedEncoding:
    """Python's name of the encoding, and the candidates when only a person can tell."""

    name: str
    candidates: tuple[EncodingCandidate, ...] = ()


def detect_encoding(path: Path, name: str, given: str = "", may_guess: bool = False) -> DetectedEncoding:
    """The encoding; what the file proves counts more than the `given` one.

    Raises SalesFileError when the file is not text, and AmbiguousValue when a person has to choose; with
    `may_guess` the best candidate is returned with all of them instead.
    """
    with path.open("rb") as stream:
        head = stream.read(READ_BYTES)
    if proved := find_proved_encoding(path, name, head):
        return DetectedEncoding(proved)
    place = find_first_fault(path, "utf-8")
    if place < 0:
        return DetectedEncoding("utf-8")
    sample = read_around(path, place)
    if CONTROL_BYTES.search(head) or CONTROL_BYTES.search(sample):
        raise not_text_error(name)
    refuse_mixed(path, name, place)
    if given:
        candidates = propose_encodings(path, sample, head) if may_guess else ()
        return DetectedEncoding(require_encoding(path, name, given), candidates)
    candidates = propose_encodings(path, sample, head)
    if not candidates:
        raise not_text_error(name)
    if may_guess or len(candidates) == 1:
        return DetectedEncoding(candidates[0].name, candidates)
    raise AmbiguousValue(ambiguous_message(name, candidates), "encoding", [one.name for one in candidates])


def find_proved_encoding(path: Path, name: str, head: bytes) -> str:
    """What a byte order mark, zeros or escapes prove; "" when they prove nothing."""
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return require_encoding(path, name, encoding)
    if head.startswith(BINARY_START):
        raise not_text_error(name)
    if b"\0" in head:
        wide = "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
        return require_encoding(path, name, wide)
    if JAPANESE_ESCAPE.search(head):
        return require_encoding(path, name, "iso2022_jp")
    return ""


def require_encoding(path: Path, name: str, encoding: str) -> str:
    """The encoding; raises SalesFileError when the file is not text of it."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        words = {"encoding": encoding}
        raise SalesFileError(
            _("%(encoding)s is not an encoding: use one such as cp1251, cp932 or gb18030.") % words
        ) from None
    if find_first_fault(path, encoding) >= 0:
        raise not_text_error(name)
    return encoding


def not_text_error(name: str) -> SalesFileError:
    """The complaint about a file that is not text."""
    return SalesFileError(
        _("%(file)s is not a text file: use CSV in UTF-8, Excel (.xlsx) or parquet.") % {"file": name}
    )


def ambiguous_message(name: str, candidates: tuple[EncodingCandidate, ...]) -> str:
    """The question about the encoding, with the same text in each."""
    samples = "; ".join(f"{one.name} “{one.sample}”" for one in candidates[:6])
    words = {"file": name, "samples": samples}
    return (
        _("%(file)s is not UTF-8: choose the encoding in which its texts read rightly: %(samples)s.") % words
    )


def find_first_fault(path: Path, encoding: str) -> int:
    """About where the file stops being text of the encoding without NUL characters; -1 when it never does."""
    decoder = codecs.getincrementaldecoder(encoding)()
    place = 0
    with path.open("rb") as stream:
        try:
            while chunk := stream.read(READ_BYTES):
                if "\0" in decoder.decode(chunk):
                    return place
                place += len(chunk)
            return place if "\0" in decoder.decode(b"", final=True) else -1
        except UnicodeDecodeError as problem:
            return place + problem.start
        except UnicodeError:  # UTF-16 without its mark
            return place


def read_around(path: Path, place: int) -> bytes:
    """Whole lines from a bit before a place on."""
    with path.open("rb") as stream:
        stream.seek(max(0, place - SAMPLE_BYTES // 4))
        content = stream.read(SAMPLE_BYTES)
    return content[content.find(b"\n") + 1 if place > SAMPLE_BYTES // 4 else 0 :]


def refuse_mixed(path: Path, name: str, place: int) -> None:
    """Raises SalesFileError for a file with both UTF-8 lines and, fewer, others."""
    content = read_around(path, place)
    lines = [line for line in content.split(b"\n") if not line.isascii()]
    good = [line for line in lines if is_utf8(line)]
    if 2 * len(good) <= len(lines):
        return
    row, line = find_bad_line(path)
    words = {"file": name, "row": row, "value": line.decode("cp1252", "replace").strip()[:60]}
    sentence = _(
        "%(file)s, row %(row)d: “%(value)s” is not UTF-8, but the other rows are: save all parts of the file "
        "in one encoding."
    )
    raise SalesFileError(sentence % words)


def is_utf8(line: bytes) -> bool:
    """Whether a line is UTF-8."""
    try:
        return bool(line.decode())
    except UnicodeDecodeError:
        return False


def find_bad_line(path: Path) -> tuple[int, bytes]:
    """The number of the first line that is not UTF-8, and the line."""
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.isascii() and not is_utf8(line):
                return number, line
    return 0, b""
