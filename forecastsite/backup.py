"""A consistent copy of a running installation with SQLite, and back again.

The database is copied by SQLite's own online backup; then every file that a row of this copy points at.
Files never change and go only after their row, so a file that is gone by now means that the copy of the
database is too old: it is taken again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.utils import timezone

from forecastsite.cleanup.service import LOCK
from registry.lib.durable_storage import sync_folder
from registry.lib.locks import alone
from registry.storage.archivable import Keepable
from registry.storage.artifacts import CHUNK, Artifact, store
from registry.storage.reconcile import kinds

DATABASE, MANIFEST, FILES, KEY = "db.sqlite3", "manifest.json", "artifacts", "secret_key"
TRIES = 5


class BackupError(Exception):
    """The copy could not be made or used. The text is one sentence."""


@dataclass(frozen=True)
class Wanted:
    """A file that a row of the copied database points at."""

    path: str
    sha256: str


def database() -> Path:
    """The SQLite file; raises BackupError with PostgreSQL."""
    if not settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        raise BackupError(
            "This is for SQLite: back up PostgreSQL with pg_dump, and the bucket by its versions."
        )
    return Path(settings.DATABASES["default"]["NAME"])


def back_up(folder: Path) -> dict[str, Any]:
    """Copies everything into a new folder and gives its manifest. Raises BackupError or Busy."""
    source = database()
    if folder.exists():
        raise BackupError(f"{folder} is there already: choose a new folder.")
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / FILES).mkdir(parents=True)
    with alone(LOCK):
        files, problems = copied(source, part)
    if (key := Path(settings.DATA_DIR) / KEY).exists():
        shutil.copy2(key, part / KEY)
    sums = {KEY: digest(part / KEY)} if (part / KEY).exists() else {}
    made = timezone.now().isoformat(timespec="seconds")
    manifest = {
        "made": made,
        "files": {DATABASE: digest(part / DATABASE), **sums, **files},
        "problems": problems,
    }
    (part / MANIFEST).write_text(json.dumps(manifest, indent=1))
    for place in (*part.rglob("*"), part):
        sync(place)
    part.rename(folder)
    sync_folder(folder.parent)
    return manifest


def copied(source: Path, part: Path) -> tuple[dict[str, str], list[str]]:
    """Database and files; {path in the folder: sha256}, and sentences about files that are not whole."""
    for _try in range(TRIES):
        snapshot(source, part / DATABASE)
        wanted = list(pointed_at(part / DATABASE))
        try:
            problems = [one.path for one in wanted if not fetched(one, part / FILES / one.path)]
        except FileNotFoundError:
            continue  # deleted since the snapshot, with its row
        keep = {one.path for one in wanted}
        for file in (part / FILES).rglob("*"):
            if file.is_file() and str(file.relative_to(part / FILES)) not in keep:
                file.unlink()  # of an earlier try
        return {f"{FILES}/{one.path}": one.sha256 for one in wanted if one.path not in problems}, problems
    raise BackupError("Files of ready rows are missing: run reconcile_artifacts --apply, then try again.")


def snapshot(source: Path, target: Path) -> None:
    """The database as of one moment, while others go on writing; raises BackupError when it is not sound."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source, timeout=20)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
        if copy.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
            raise BackupError("The copy of the database is damaged: look at the disk, then try again.")


def pointed_at(copy: Path) -> Iterator[Wanted]:
    """Files of rows that are ready and not archived."""
    with closing(sqlite3.connect(copy)) as connection:
        for kind in kinds():
            here = " AND archived_at IS NULL" if issubclass(kind, Keepable) else ""
            rows = f"SELECT id, sha256 FROM {kind._meta.db_table} WHERE state = ?{here}"  # noqa: S608
            for pk, sha256 in connection.execute(rows, [Artifact.State.READY]):
                yield Wanted(f"{kind.FOLDER}/{uuid.UUID(pk)}{kind.SUFFIX}", sha256)


def fetched(wanted: Wanted, target: Path) -> bool:
    """Copies a file and says whether it is the one that was saved; raises FileNotFoundError."""
    if target.exists() and digest(target) == wanted.sha256:
        return True
    target.parent.mkdir(parents=True, exist_ok=True)
    with store().open(wanted.path, "rb") as source, target.open("wb") as copy:
        shutil.copyfileobj(source, copy, CHUNK)
    if digest(target) == wanted.sha256:
        return True
    target.unlink()
    return False


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Survives a power cut from here on."""
    if path.is_dir():
        return sync_folder(path)
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def restore(folder: Path) -> dict[str, Any]:
    """Fills an empty installation from a backup; the database comes last. Raises BackupError."""
    target = database()
    if target.exists() and target.stat().st_size:
        raise BackupError(f"{target} is there already: restore into an empty DATA_DIR.")
    manifest = checked(folder)
    for path in manifest["files"]:
        if path.startswith(f"{FILES}/"):
            with (folder / path).open("rb") as stream:
                store().save(path.removeprefix(f"{FILES}/"), File(stream))
    if (folder / KEY).exists():
        shutil.copy2(folder / KEY, Path(settings.DATA_DIR) / KEY)
    part = target.with_name(target.name + ".part")
    shutil.copyfile(folder / DATABASE, part)
    sync(part)
    part.rename(target)
    sync_folder(target.parent)
    return manifest


def checked(folder: Path) -> dict[str, Any]:
    """The manifest of a backup whose files are all whole; raises BackupError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        wrong = [path for path, sha256 in manifest["files"].items() if digest(folder / path) != sha256]
    except (OSError, ValueError, KeyError) as problem:
        raise BackupError(f"{folder} is not a whole backup: {problem}") from None
    if wrong:
        raise BackupError(f"{wrong[0]} in {folder} was changed after the backup: use another one.")
    return manifest
