"""Reserved space in the data folder: on a full disk SQLite could not even be opened to free anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

RESERVE_BYTES = 8 << 20  # bytes for SQLite's journal and the rows that a clean-up writes
SPARE_BYTES = 1 << 20  # bytes that must stay free, or the reserve itself would fill the disk


def reserve_path() -> Path:
    """The file that occupies the space."""
    return Path(settings.DATA_DIR) / "reserve"


def free_bytes() -> int:
    """Free bytes on the disk of the data folder."""
    return shutil.disk_usage(settings.DATA_DIR).free


def fill_reserve() -> None:
    """Creates the reserve if the disk has enough space."""
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
    """Frees the reserve if the disk is full, and creates it again afterwards."""
    if free_bytes() < RESERVE_BYTES:
        reserve_path().unlink(missing_ok=True)
    try:
        yield
    finally:
        fill_reserve()
