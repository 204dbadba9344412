"""Folders of unfinished work (an upload, the checkpoints of a training) that any host can go on with.

They lie in the data folder of the host that works on them. When the artifact store is not that host's own,
what is worth keeping is copied there, and another host fetches it. A row that names it is saved afterwards.
"""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files.base import File

from registry.lib.atomic_file import write_atomic
from registry.lib.hashing import CHUNK_BYTES
from registry.storage.archive import get_storage_exceptions
from registry.storage.artifacts import get_artifact_store

logger = logging.getLogger(__name__)


class StoreUnreachable(OSError):
    """The shared artifact store does not answer, or refuses."""


@contextmanager
def reach_store() -> Iterator[None]:
    """Turns the exceptions of whatever store this is into OSError; raises StoreUnreachable."""
    try:
        yield
    except OSError:
        raise
    except get_storage_exceptions() as problem:
        raise StoreUnreachable(" ".join(str(problem).split())) from problem


def is_store_shared() -> bool:
    """Whether the artifact store is one for several hosts: a bucket, or a folder that the settings name."""
    return bool(settings.ARTIFACT_STORE != "local")


class SharedFolder:
    """A folder below DATA_DIR, and its twin of the same name in a shared artifact store.

    All methods that ask the store may raise StoreUnreachable.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def path(self) -> Path:
        """The folder on this host; it need not exist."""
        return Path(settings.DATA_DIR) / self.name

    @reach_store()
    def share(self, *names: str) -> None:
        """Copies files and folders of this host to a shared store; names that do not exist are left out."""
        for name in names if is_store_shared() else ():
            found = self.path / name
            for file in sorted(found.rglob("*")) if found.is_dir() else [found]:
                if file.is_file():
                    with file.open("rb") as stream:
                        where = f"{self.name}/{file.relative_to(self.path).as_posix()}"
                        get_artifact_store().save(where, File(stream))

    @reach_store()
    def fetch(self, name: str) -> Path:
        """The file or folder on this host, copied from a shared store if it is not here yet.

        Raises FileNotFoundError if it is in neither.
        """
        path = self.path / name
        if not path.exists() and is_store_shared():
            part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
            for stored in iter_stored(f"{self.name}/{name}"):
                copy_from_store(stored, part / stored.removeprefix(f"{self.name}/{name}").lstrip("/"))
            if part.exists():
                part.rename(path)
        if not path.exists():
            raise FileNotFoundError(path)
        return path

    @reach_store()
    def has_files(self) -> bool:
        """Whether there is anything, here or in a shared store."""
        if is_store_shared() and next(iter_stored(self.name), ""):
            return True
        return self.path.is_dir() and any(path.is_file() for path in self.path.rglob("*"))

    @reach_store()
    def replace_by_stored(self) -> None:
        """Makes this host's folder equal to the one in a shared store, unless nothing is there."""
        stored = list(iter_stored(self.name)) if is_store_shared() else []
        if stored:
            shutil.rmtree(self.path, ignore_errors=True)
        for name in stored:
            copy_from_store(name, Path(settings.DATA_DIR) / name)

    def delete(self) -> None:
        """Deletes the folder here and in a shared store. Safe to repeat.

        What a store keeps because it does not answer is found by `list_abandoned`.
        """
        shutil.rmtree(self.path, ignore_errors=True)
        try:
            with reach_store():
                if is_store_shared():
                    delete_stored(self.name)
        except OSError as problem:
            logger.warning("%s is left in the store, which does not answer: %s", self.name, problem)


def iter_stored(name: str) -> Iterator[str]:
    """Names of all files in the store at or below a name."""
    parent, _slash, last = name.rpartition("/")
    try:
        folders, files = get_artifact_store().listdir(parent)
    except FileNotFoundError:
        return
    if last in files:
        yield name
    elif last in folders:
        yield from iter_below(name)


def iter_below(folder: str) -> Iterator[str]:
    """Names of all files in a folder of the store and below it."""
    folders, files = get_artifact_store().listdir(folder)
    yield from (f"{folder}/{name}" for name in sorted(files))
    for name in sorted(folders):
        yield from iter_below(f"{folder}/{name}")


def copy_from_store(name: str, path: Path) -> None:
    """Copies a file of the store; it is complete or absent."""
    with get_artifact_store().open(name, "rb") as source:
        write_atomic(path, iter(lambda: source.read(CHUNK_BYTES), b""))


def delete_stored(folder: str) -> None:
    """Deletes a folder of the store: its files, and where the store has folders, those too."""
    try:
        folders, files = get_artifact_store().listdir(folder)
    except FileNotFoundError:
        return
    for name in files:
        get_artifact_store().delete(f"{folder}/{name}")
    for name in folders:
        delete_stored(f"{folder}/{name}")
    get_artifact_store().delete(folder)


@reach_store()
def list_abandoned(parent: str, kept: set[str], before: datetime) -> list[SharedFolder]:
    """Folders below `parent` in a shared store that are not in `kept` and were written before a moment."""
    if not is_store_shared():
        return []
    try:
        names = set(get_artifact_store().listdir(parent)[0]) - kept
    except FileNotFoundError:
        return []
    store, found = get_artifact_store(), []
    for name in sorted(names):
        times = [store.get_modified_time(file) for file in iter_below(f"{parent}/{name}")]
        if not times or max(times) < before:
            found.append(SharedFolder(f"{parent}/{name}"))
    return found
