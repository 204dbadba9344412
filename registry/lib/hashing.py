"""SHA-256 of files, without holding them in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Protocol

CHUNK_BYTES = 1 << 20


class BinaryStream(Protocol):
    """Anything that can be read in chunks of bytes: local files and Django's stored files."""

    def read(self, size: int, /) -> Any: ...


class Digest(Protocol):
    """A hash of hashlib."""

    def update(self, data: bytes, /) -> None: ...


def iter_hashed_chunks(stream: BinaryStream, digest: Digest) -> Iterator[bytes]:
    """Yields the rest of the stream in chunks and feeds each to the digest first."""
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        yield chunk


def sha256_of(stream: BinaryStream) -> str:
    """Hex SHA-256 of the rest of the stream.

    >>> import io
    >>> sha256_of(io.BytesIO(b"sales"))[:8]
    'e04eb290'
    """
    digest = hashlib.sha256()
    for _chunk in iter_hashed_chunks(stream, digest):
        pass
    return digest.hexdigest()
