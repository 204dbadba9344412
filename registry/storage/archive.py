"""The archive: a second store for files that are kept, but not here. Chosen by settings only.

Every failure of the store becomes an ArchiveError, whose text is one sentence for people.
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
    """A file could not be archived or brought back."""


class ArchiveUnreachable(ArchiveError):
    """There is no archive, or it does not answer; every further file would fail alike."""


def has_archive() -> bool:
    """Whether the settings name an archive."""
    return "archive" in settings.STORAGES


def build_address(path: str) -> str:
    """Where the archive keeps the file of that name."""
    return f"{settings.ARCHIVE_STORE.rstrip('/')}/{path}"


@cache
def get_storage_exceptions() -> tuple[type[Exception], ...]:
    """What a store raises when it cannot do its work."""
    if find_spec("boto3") is None:
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return OSError, Boto3Error, BotoCoreError, ClientError


@contextmanager
def open_archive() -> Iterator[Storage]:
    """The archive; raises ArchiveUnreachable when it is not there, FileNotFoundError for a file."""
    if not has_archive():
        raise ArchiveUnreachable(_("There is no archive: set ARCHIVE_STORE."))
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
                raise OSError("what was written is not what is read")
        archive.delete(name)


def put_file(path: str, source: File[bytes], sha256: str) -> None:
    """Copies a file into the archive, reads it back and compares; raises ArchiveError."""
    with open_archive() as archive:
        archive.save(path, source)
    verify_copy(path, sha256)


def verify_copy(path: str, sha256: str) -> None:
    """Reads the archive's copy; raises ArchiveError when it is missing or not the one that was saved."""
    for _chunk in iter_verified_chunks(path, sha256):
        pass


def iter_verified_chunks(path: str, sha256: str) -> Iterator[bytes]:
    """The archive's copy piece by piece; raises ArchiveError at the end when the whole is not right."""
    digest = hashlib.sha256()
    try:
        with open_archive() as archive, archive.open(path) as stream:
            yield from iter_hashed_chunks(stream, digest)
    except FileNotFoundError:
        raise ArchiveError(_("%(file)s is missing in the archive.") % {"file": path}) from None
    if digest.hexdigest() != sha256:
        raise ArchiveError(
            _("The archive's copy of %(file)s is not the file that was saved.") % {"file": path}
        )


def has_valid_copy(path: str, sha256: str) -> bool:
    """Whether a right copy is there; raises ArchiveUnreachable when nobody can tell."""
    try:
        verify_copy(path, sha256)
    except ArchiveUnreachable:
        raise
    except ArchiveError:
        return False
    return True


def fetch_file(path: str, sha256: str) -> bytes:
    """The archive's copy, checked; raises ArchiveError."""
    return b"".join(iter_verified_chunks(path, sha256))


def delete_copy(path: str) -> None:
    """The archive's copy goes; that it is gone already is fine."""
    try:
        with open_archive() as archive:
            archive.delete(path)
    except FileNotFoundError:
        return
