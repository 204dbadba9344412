"""The archive: a second store, chosen by settings, for files that are rarely read.

Every failure of the store becomes an ArchiveError, whose text is one sentence for the user.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.utils.translation import gettext as _

from registry.lib.hashing import iter_hashed_chunks


class ArchiveError(ValueError):
    """A file could not be archived or restored."""


class ArchiveUnreachable(ArchiveError):
    """No archive is configured, or it does not answer: every other file would fail too."""


def has_archive() -> bool:
    """Whether the settings name an archive."""
    return "archive" in settings.STORAGES


def build_address(path: str) -> str:
    """The address of a file in the archive."""
    return f"{settings.ARCHIVE_STORE.rstrip('/')}/{path}"


@cache
def get_storage_exceptions() -> tuple[type[Exception], ...]:
    """Exception types that storage backends raise when they fail."""
    if find_spec("boto3") is None:
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return OSError, Boto3Error, BotoCoreError, ClientError


@contextmanager
def open_archive() -> Iterator[Storage]:
    """Yields the archive; raises ArchiveUnreachable, or FileNotFoundError for a missing file."""
    if not has_archive():
        raise ArchiveUnreachable(_("No archive is configured: set ARCHIVE_STORE."))
    try:
        yield storages["archive"]
    except FileNotFoundError:
        raise
    except get_storage_exceptions() as problem:
        words = {"archive": settings.ARCHIVE_STORE, "problem": " ".join(str(problem).split())}
        raise ArchiveUnreachable(
            _("The archive %(archive)s does not answer: %(problem)s") % words
        ) from problem


def probe_archive() -> None:
    """Writes, reads and deletes a small file; raises ArchiveUnreachable."""
    name = f"probes/{uuid.uuid4()}"
    with open_archive() as archive:
        archive.save(name, ContentFile(b"probe"))
        with archive.open(name) as stream:
            if stream.read() != b"probe":
                raise OSError("a test file was read back with different content")
        archive.delete(name)


def put_file(path: str, source: File[bytes], sha256: str) -> None:
    """Copies a file into the archive and verifies the copy; raises ArchiveError."""
    with open_archive() as archive:
        archive.save(path, source)
    verify_copy(path, sha256)


def verify_copy(path: str, sha256: str) -> None:
    """Reads the archived copy; raises ArchiveError if it is missing or has changed."""
    for _chunk in iter_verified_chunks(path, sha256):
        pass


def iter_verified_chunks(path: str, sha256: str) -> Iterator[bytes]:
    """Yields the archived copy in chunks; raises ArchiveError at the end if the hash differs."""
    digest = hashlib.sha256()
    try:
        with open_archive() as archive, archive.open(path) as stream:
            yield from iter_hashed_chunks(stream, digest)
    except FileNotFoundError:
        raise ArchiveError(_("%(file)s is missing from the archive.") % {"file": path}) from None
    if digest.hexdigest() != sha256:
        raise ArchiveError(
            _("The archived copy of %(file)s has changed since it was saved.") % {"file": path}
        )


def has_valid_copy(path: str, sha256: str) -> bool:
    """Whether the archive holds an unchanged copy; raises ArchiveUnreachable."""
    try:
        verify_copy(path, sha256)
    except ArchiveUnreachable:
        raise
    except ArchiveError:
        return False
    return True


def fetch_file(path: str, sha256: str) -> bytes:
    """The bytes of the archived copy, verified; raises ArchiveError."""
    return b"".join(iter_verified_chunks(path, sha256))


def delete_copy(path: str) -> None:
    """Deletes the archived copy; a missing one is fine."""
    try:
        with open_archive() as archive:
            archive.delete(path)
    except FileNotFoundError:
        return
