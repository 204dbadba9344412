"""Room kept back in the data folder: on a full disk SQLite cannot even be opened, to free anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

RESERVE_BYTES = 8 << 20  # bytes: what SQLite writes beside its file, and the rows of a clean-up
SPARE_BYTES = 1 << 20  # bytes that must be free besides, or the reserve would fill the disk


def reserve_path() -> Path:
    """Where it lies."""
    return Path(settings.DATA_DIR) / "reserve"


def free_bytes() -> int:
    """Bytes that the data folder has left."""
    return shutil.disk_usage(settings.DATA_DIR).free


def fill_reserve() -> None:
    """Takes the room while there is enough; a disk that is too full goes without."""
    file = reserve_path()
    if (
        file.is_file() and file.stat().st_size == RESERVE_BYTES
    ) or free_bytes() < RESERVE_BYTES + SPARE_BYTES:
        return
    try:
        file.write_bytes(bytes(RESERVE_BYTES))
    except OSError:
        file.unlink(missing_ok=True)


@contextmanager
def release_reserve() -> Iterator[None]:
    """What is done inside may use the room when there is no other; afterwards it is kept back again."""
    if free_bytes() >= RESERVE_BYTES:
        yield
        return
    reserve_path().unlink(missing_ok=True)
    try:
        yield
    finally:
        fill_reserve()
