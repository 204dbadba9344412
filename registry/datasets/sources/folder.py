"""A folder on the server as a place of files: below SOURCES_DIR, and links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import ClassVar

from django.conf import settings
from django.utils.translation import gettext as _

from registry.datasets.sources.places import MARKER, FoundFile, PlaceUnreachable, is_usable_name
from registry.lib.errors import MessageError, gettext_noop
from registry.lib.hashing import CHUNK_BYTES

NOT_BELOW = gettext_noop("{address} is no folder below the one for sources: write it like shop/sales.")
REGULAR = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC


def check_address(address: str) -> str:
    """The folder below SOURCES_DIR as it is kept; raises MessageError for one that leads elsewhere.

    >>> check_address("shop//sales/")
    'shop/sales'
    """
    path = PurePosixPath(address.strip())
    is_plain = address.isprintable() and "\\" not in address
    if path.is_absolute() or not path.parts or not is_plain or any(part[0] == "." for part in path.parts):
        raise MessageError(NOT_BELOW, address=address)
    return str(path)


class FolderPlace:
    """Files of one folder. Each part of its path is opened without following links."""

    is_atomic: ClassVar[bool] = False

    def __init__(self, address: str) -> None:
        self.address = check_address(address)

    def list_files(self) -> list[FoundFile]:
        with self._open() as folder:
            names = set(os.listdir(folder))
            found = (self._describe(folder, name, names) for name in names if is_usable_name(name))
            return [one for one in found if one is not None]

    @contextmanager
    def read(self, name: str) -> Iterator[Iterator[bytes]]:
        with self._open() as folder:
            descriptor = os.open(name, REGULAR, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as stream:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise PlaceUnreachable(name, _("it is no regular file"))
                yield iter(lambda: stream.read(CHUNK_BYTES), b"")

    def find_stamp(self, name: str) -> str:
        with self._open() as folder:
            found = self._describe(folder, name, set())
            return found.stamp if found else ""

    def move(self, name: str, folder: str, new_name: str, from_folder: str = "") -> None:
        with self._open() as root, open_inside(root, folder) as target:
            with open_inside(root, from_folder) as source, suppress(FileNotFoundError):
                os.rename(name, new_name, src_dir_fd=source, dst_dir_fd=target)
            if not from_folder:
                with suppress(FileNotFoundError):
                    os.unlink(name + MARKER, dir_fd=root)

    def _describe(self, folder: int, name: str, names: set[str]) -> FoundFile | None:
        try:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        if not stat.S_ISREG(facts.st_mode):
            return None
        stamp = f"{facts.st_size}-{facts.st_mtime_ns}-{facts.st_ino}"
        return FoundFile(name, facts.st_size, stamp, f"{facts.st_mtime_ns:020}", name + MARKER in names)

    @contextmanager
    def _open(self) -> Iterator[int]:
        """The folder, which is made if it is not there; raises PlaceUnreachable."""
        root = Path(settings.SOURCES_DIR)
        try:
            root.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(root, FOLDER & ~os.O_NOFOLLOW)
            try:
                for part in PurePosixPath(self.address).parts:
                    descriptor = step_into(descriptor, part)
                yield descriptor
            finally:
                os.close(descriptor)
        except OSError as problem:
            raise PlaceUnreachable(self.address, problem.strerror or problem) from problem


def step_into(parent: int, name: str) -> int:
    """A folder inside another one, made if it is not there; closes the other one."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o770, dir_fd=parent)
    inner = os.open(name, FOLDER, dir_fd=parent)
    os.close(parent)
    return inner


@contextmanager
def open_inside(parent: int, name: str) -> Iterator[int]:
    """A folder inside another one, or that one itself where there is no name."""
    descriptor = os.dup(parent)
    try:
        if name:
            descriptor = step_into(descriptor, name)
        yield descriptor
    finally:
        os.close(descriptor)
