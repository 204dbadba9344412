"""Finds and repairs mismatches between rows and files.

Old orphan files are deleted. A row whose file is missing or changed is restored from the archive or marked
damaged, never deleted. Operations interrupted by a crash are finished.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

from django.apps import apps
from django.utils import timezone

from registry.lib.hashing import sha256_of
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact, get_artifact_store

MIN_AGE = timedelta(hours=1)  # younger files and rows may still be in progress
FILE_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.\w+)((?:\.\d+)?\.part)?")
MIN_MISSING = 10  # missing files below which the store itself is not in doubt


@dataclass(frozen=True)
class Finding:
    """A mismatch: what, where, and how it is repaired."""

    kind: str
    id: str
    name: str
    problem: str
    remedy: str
    repair: Callable[[], Any]

    def to_dict(self) -> dict[str, str]:
        """The finding in JSON."""
        return {part: getattr(self, part) for part in ("kind", "id", "name", "problem", "remedy")}


def list_artifact_models() -> list[type[Artifact]]:
    """Every model whose rows own files."""
    return [model for model in apps.get_models() if issubclass(model, Artifact)]


def iter_findings(check_hashes: bool, ids_in_progress: set[Any]) -> Iterator[Finding]:
    """Every mismatch; rows in `ids_in_progress` are skipped, however old."""
    for kind in list_artifact_models():
        files = list_file_names(kind.FOLDER)
        yield from find_orphans(kind, files)
        for row in kind._default_manager.order_by("pk").iterator(chunk_size=1000):
            if row.pk not in ids_in_progress:
                yield from check_row(row, files, check_hashes)


def list_file_names(folder: str) -> set[str]:
    """Names of the files in a folder of the store."""
    try:
        return set(get_artifact_store().listdir(folder)[1])
    except FileNotFoundError:
        return set()


def find_orphans(kind: type[Artifact], files: set[str]) -> Iterator[Finding]:
    """Stale artifact files without a row, and temp files; foreign files are left alone."""
    rows = kind._default_manager.only(*kind.PATH_FIELDS).order_by()
    known = {PurePath(row.path).name for row in rows.iterator(chunk_size=5000)}
    for name in sorted(files):
        shape = FILE_NAME.fullmatch(name)
        if shape and name not in known and is_stale(f"{kind.FOLDER}/{name}"):
            path = f"{kind.FOLDER}/{name}"
            yield Finding(
                kind.KIND, shape[1], path, "orphan", "delete_file", partial(get_artifact_store().delete, path)
            )


def is_stale(path: str) -> bool:
    """Whether a file is too old to be still in progress."""
    try:
        return get_artifact_store().get_modified_time(path) < timezone.now() - MIN_AGE
    except FileNotFoundError:
        return False


def check_row(row: Any, files: set[str], check_hashes: bool) -> Iterator[Finding]:
    """Mismatches of one row."""
    found, state = partial(Finding, row.KIND, str(row.pk), str(row)), row.State
    here = PurePath(row.path).name in files
    if row.state == state.DELETING:
        yield found("stuck_deleting", "finish", row.remove)
    elif row.state == state.PENDING:
        if row.created_at < timezone.now() - MIN_AGE:
            yield found("stuck_pending", "remove", row.remove)
    elif isinstance(row, ArchivableArtifact) and row.is_archived:
        if here:
            yield found("leftover", "delete_file", row.delete_local_copy)
    elif problem := "" if here and is_intact(row, check_hashes) else ("changed" if here else "missing"):
        if isinstance(row, ArchivableArtifact) and row.archive_address:
            yield found(problem, "restore", row.restore_file)
        elif row.state == state.READY:
            yield found(problem, "mark_damaged", partial(set_state, row, state.DAMAGED))
    elif row.state == state.DAMAGED:
        yield found("whole_again", "mark_ready", partial(set_state, row, state.READY))


def is_intact(row: Artifact, check_hashes: bool) -> bool:
    """Whether the file has the right size and, with `check_hashes`, the right hash."""
    try:
        if get_artifact_store().size(row.path) != row.size:
            return False
        if not check_hashes:
            return True
        with get_artifact_store().open(row.path, "rb") as stream:
            return sha256_of(stream) == row.sha256
    except FileNotFoundError:
        return False


def set_state(row: Artifact, state: str) -> None:
    """Sets the state unless it has changed meanwhile; damage triggers `on_damaged`."""
    changed = type(row)._default_manager.filter(pk=row.pk, state=row.state).update(state=state)
    if changed and state == row.State.DAMAGED:
        row.on_damaged()


def is_store_missing(found: list[Finding]) -> bool:
    """Whether most files of a kind are missing, which rather means an unmounted folder or bucket."""
    for kind in list_artifact_models():
        missing = sum(one.problem == "missing" and one.kind == kind.KIND for one in found)
        if (
            missing > MIN_MISSING
            and missing > kind._default_manager.filter(state=Artifact.State.READY).count() / 2
        ):
            return True
    return False
