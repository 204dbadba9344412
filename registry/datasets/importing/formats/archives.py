"""Archives that hold one table: .zip and .gz, unpacked within limits."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from django.utils.translation import gettext as _

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.progress import REPORT
from registry.datasets.importing.raw_table import too_large_message

MAX_UNPACKED_BYTES, MAX_MEMBERS = 24 << 30, 2000
SMALL_BYTES = 10 << 20  # less than this is never suspicious
MIDDLE_BYTES = 600 << 20  # up to this, repetitive tables may be packed very well
MAX_COMPRESSION_RATIO, USUAL_COMPRESSION_RATIO = 200, 40
CHUNK_BYTES = 1 << 20
TEXT_SUFFIXES = (".csv", ".txt", ".tsv")
DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError)


@contextmanager
def unpack_zip(path: Path, name: str, suffixes: set[str], enough: int = 0) -> Iterator[Path]:
    """The only table of a zip archive, in a temporary folder. Raises SalesFileError.

    Of a text about the first `enough` bytes (0 = all), in whole lines.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = find_table(archive, name, suffixes)
            limit = limit_unpacked(member.compress_size)
            suffix = PurePosixPath(member.filename).suffix.lower()
            with unpack(lambda: archive.open(member), name, suffix, (limit, enough)) as unpacked:
                yield unpacked
    except DAMAGED:
        raise damaged_error(name) from None
    except RuntimeError:  # zipfile's way to ask for a password
        words = {"file": name}
        raise SalesFileError(_("%(file)s is protected by a password: unpack it first.") % words) from None


@contextmanager
def unpack_gzip(path: Path, name: str, enough: int = 0) -> Iterator[Path]:
    """The same of a gzip file."""
    limit = limit_unpacked(path.stat().st_size)
    inner = PurePosixPath(name.removesuffix(".gz")).suffix.lower()
    try:
        with unpack(lambda: gzip.open(path), name, inner or ".csv", (limit, enough)) as unpacked:
            yield unpacked
    except DAMAGED:
        raise damaged_error(name) from None


@contextmanager
def unpack(
    open_member: Callable[[], IO[bytes] | gzip.GzipFile], name: str, suffix: str, sizes: tuple[int, int]
) -> Iterator[Path]:
    """The content as a file; raises SalesFileError when it is larger than the first of the sizes.

    A text is cut after the second, unless it is 0.
    """
    limit, enough = sizes
    with TemporaryDirectory(prefix="unpacked-") as folder:
        target = Path(folder) / f"table{suffix}"
        size = 0
        with open_member() as source, target.open("wb") as stream:
            while chunk := source.read(CHUNK_BYTES):
                size += len(chunk)
                if size > limit:
                    raise SalesFileError(too_large_message(name))
                stream.write(chunk)
                REPORT.note("unpack", size)
                if enough and size > enough and suffix in TEXT_SUFFIXES and b"\0" not in chunk:
                    stream.truncate(size - len(chunk) + chunk.rfind(b"\n") + 1)
                    break  # with a zero it is binary, or a text whose lines end otherwise
        yield target


def limit_unpacked(size: int) -> int:
    """The most bytes that an archive of a size may unpack to.

    >>> limit_unpacked(1000) >> 20, limit_unpacked(5 << 20) >> 20, limit_unpacked(100 << 20) >> 20
    (10, 600, 4000)
    """
    middle = min(MAX_COMPRESSION_RATIO * size, MIDDLE_BYTES)
    return min(max(SMALL_BYTES, middle, USUAL_COMPRESSION_RATIO * size), MAX_UNPACKED_BYTES)


def find_table(archive: zipfile.ZipFile, name: str, suffixes: set[str]) -> zipfile.ZipInfo:
    """The only member that is a table; raises SalesFileError when there are none or several."""
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise SalesFileError(too_large_message(name))
    tables = [member for member in members if is_table(member, suffixes)]
    if not tables:
        words = {"file": name, "kinds": ", ".join(sorted(suffixes))}
        raise SalesFileError(_("%(file)s holds no table: pack one file of these types: %(kinds)s.") % words)
    if len(tables) > 1:
        names = ", ".join(PurePosixPath(member.filename).name[:40] for member in tables[:3])
        words = {"file": name, "count": str(len(tables)), "names": names}
        raise SalesFileError(
            _("%(file)s holds %(count)s tables (%(names)s): unpack it and upload them one by one.") % words
        )
    return tables[0]


def is_table(member: zipfile.ZipInfo, suffixes: set[str]) -> bool:
    """Whether a member is a file of sales and not a folder, a note or what a Mac adds."""
    place = PurePosixPath(member.filename)
    hidden = place.name.startswith(".") or "__MACOSX" in place.parts
    note = place.stem.lower().startswith(("readme", "license", "liesmich", "lisezmoi"))
    return place.suffix.lower() in suffixes and not (member.is_dir() or hidden or note)


def damaged_error(name: str) -> SalesFileError:
    """The complaint about an archive that cannot be unpacked."""
    return SalesFileError(_("%(file)s is damaged: pack or download it again.") % {"file": name})
