"""Consistent backup of a running SQLite installation, and restore.

SQLite's online backup copies the database, then every file that a row of the copy refers to is copied.
Files never change and are deleted only after their row, so a missing file means that the copy of the
database is outdated: the backup starts again.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.utils import timezone

from forecastsite.cleanup.service import LOCK_NAME
from registry.lib.atomic_file import sync_file, sync_folder, write_atomic
from registry.lib.hashing import CHUNK_BYTES, sha256_of
from registry.lib.locks import exclusive_lock
from registry.storage.archivable import ArchivableArtifact
from registry.storage.artifacts import Artifact, get_artifact_store
from registry.storage.reconcile import list_artifact_models

DATABASE_FILE, MANIFEST_FILE, ARTIFACT_FOLDER, KEY_FILE = (
    "db.sqlite3",
    "manifest.json",
    "artifacts",
    "secret_key",
)
MAX_TRIES = 5  # snapshots, until no file is deleted while it is being copied


class BackupError(Exception):
    """A backup could not be made or used. The text is one sentence for the user."""


@dataclass(frozen=True)
class ReferencedFile:
    """A file that a row of the copied database refers to."""

    path: str
    sha256: str


def get_database_path() -> Path:
    """The SQLite file; raises BackupError with PostgreSQL."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        raise BackupError(
            "This command is for SQLite: use pg_dump for PostgreSQL, and versioning for the bucket."
        )
    return Path(settings.DATABASES["default"]["NAME"])


def create_backup(folder: Path) -> dict[str, Any]:
    """Copies everything into a new folder and returns its manifest.

    Raises BackupError or LockUnavailable.
    """
    source = get_database_path()
    if folder.exists():
        raise BackupError(f"{folder} already exists: choose a new folder.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / ARTIFACT_FOLDER).mkdir(parents=True)
    with exclusive_lock(LOCK_NAME):
        files, problems = copy_database_and_files(source, part)
    if (key := Path(settings.DATA_DIR) / KEY_FILE).exists():
        shutil.copy2(key, part / KEY_FILE)
    sums = {KEY_FILE: hash_file(part / KEY_FILE)} if (part / KEY_FILE).exists() else {}
    made = timezone.now().isoformat(timespec="seconds")
    manifest = {
        "made": made,
        "files": {DATABASE_FILE: hash_file(part / DATABASE_FILE), **sums, **files},
        "problems": problems,
    }
    (part / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1))
    for place in (*part.rglob("*"), part):
        (sync_folder if place.is_dir() else sync_file)(place)
    part.rename(folder)
    sync_folder(folder.parent)
    return manifest


def copy_database_and_files(source: Path, part: Path) -> tuple[dict[str, str], list[str]]:
    """Copies database and files; returns {path in the folder: sha256} and the paths of damaged files."""
    for _try in range(MAX_TRIES):
        snapshot_database(source, part / DATABASE_FILE)
        wanted = list(list_referenced_files(part / DATABASE_FILE))
        try:
            problems = [
                one.path for one in wanted if not copy_and_verify(one, part / ARTIFACT_FOLDER / one.path)
            ]
        except FileNotFoundError:
            continue  # deleted with its row since the snapshot
        keep = {one.path for one in wanted}
        for file in (part / ARTIFACT_FOLDER).rglob("*"):
            if file.is_file() and str(file.relative_to(part / ARTIFACT_FOLDER)) not in keep:
                file.unlink()  # from an earlier try
        return {
            f"{ARTIFACT_FOLDER}/{one.path}": one.sha256 for one in wanted if one.path not in problems
        }, problems
    raise BackupError("Files of ready rows are missing: run reconcile_artifacts --apply, then try again.")


def snapshot_database(source: Path, target: Path) -> None:
    """Copies the database as of one moment while others keep writing; raises BackupError if damaged."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source, timeout=20)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise BackupError("The copy of the database is damaged: check the disk, then try again.")


def list_referenced_files(copy: Path) -> Iterator[ReferencedFile]:
    """Yields the files of ready rows that are not archived."""
    with closing(sqlite3.connect(copy)) as connection:
        for kind in list_artifact_models():
            here = " AND archived_at IS NULL" if issubclass(kind, ArchivableArtifact) else ""
            fields: list[Any] = [kind._meta.get_field(name) for name in kind.PATH_FIELDS]
            names = ", ".join(field.column for field in fields)
            rows = f"SELECT sha256, {names} FROM {kind._meta.db_table} WHERE state = ?{here}"  # noqa: S608
            for sha256, *values in connection.execute(rows, [Artifact.State.READY]):
                pairs = zip(fields, values, strict=True)
                row = kind(**{field.name: field.to_python(value) for field, value in pairs})
                yield ReferencedFile(row.path, sha256)


def copy_and_verify(file: ReferencedFile, target: Path) -> bool:
    """Copies a file; returns whether its hash is right. Raises FileNotFoundError."""
    if target.exists() and hash_file(target) == file.sha256:
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with get_artifact_store().open(file.path, "rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK_BYTES)
    if hash_file(target) == file.sha256:
        return True
    target.unlink()
    return False


def hash_file(path: Path) -> str:
    """SHA-256 of a local file."""
    with path.open("rb") as stream:
        return sha256_of(stream)


def restore_backup(folder: Path) -> dict[str, Any]:
    """Restores a backup into an empty installation, the database last; returns its manifest.

    Raises BackupError.
    """
    target = get_database_path()
    if target.exists() and target.stat().st_size:
        raise BackupError(f"{target} already exists: restore into an empty DATA_DIR.")
    manifest = verify_backup(folder)
    for path in manifest["files"]:
        if path.startswith(f"{ARTIFACT_FOLDER}/"):
            with (folder / path).open("rb") as stream:
                get_artifact_store().save(path.removeprefix(f"{ARTIFACT_FOLDER}/"), File(stream))
    if (folder / KEY_FILE).exists():
        shutil.copy2(folder / KEY_FILE, Path(settings.DATA_DIR) / KEY_FILE)
    with (folder / DATABASE_FILE).open("rb") as stream:
        write_atomic(target, iter(partial(stream.read, CHUNK_BYTES), b""))
    return manifest


def verify_backup(folder: Path) -> dict[str, Any]:
    """The manifest of a complete, unchanged backup; raises BackupError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())
        wrong = [path for path, sha256 in manifest["files"].items() if hash_file(folder / path) != sha256]
    except (OSError, ValueError, KeyError) as problem:
        raise BackupError(f"{folder} is not a complete backup: {problem}") from None
    if wrong:
        raise BackupError(f"{wrong[0]} in {folder} was changed after the backup: use another backup.")
    return manifest
