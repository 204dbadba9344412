"""Compares rows and files, finds what does not fit together, and mends it.

Files nobody owns go when they are old enough; a row whose file is missing or changed is mended from the
archive or marked damaged, never deleted; what a crash left half done is finished.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.apps import apps
from django.utils import timezone

from registry.storage.archivable import Keepable
from registry.storage.artifacts import CHUNK, Artifact, store

AGE = timedelta(hours=1)  # younger things may still be in the making
NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(\.\w+)(\.part)?")
MANY = 10


@dataclass(frozen=True)
class Finding:
    """Something that does not fit: what, where, and what would mend it."""

    kind: str
    id: str
    name: str
    problem: str
    remedy: str
    mend: Callable[[], Any]

    def facts(self) -> dict[str, str]:
        return {part: getattr(self, part) for part in ("kind", "id", "name", "problem", "remedy")}


def kinds() -> list[type[Artifact]]:
    """Every model whose rows own files."""
    return [model for model in apps.get_models() if issubclass(model, Artifact)]


def findings(hashes: bool, busy: set[Any]) -> Iterator[Finding]:
    """All that is wrong. `busy` = ids of rows that are in the making however old they are."""
    for kind in kinds():
        files = listed(kind.FOLDER)
        yield from orphans(kind, files)
        for row in kind._default_manager.order_by("pk").iterator(chunk_size=1000):
            if row.pk not in busy:
                yield from judged(row, files, hashes)


def listed(folder: str) -> set[str]:
    """Names of the files there."""
    try:
        return set(store().listdir(folder)[1])
    except FileNotFoundError:
        return set()


def orphans(kind: type[Artifact], files: set[str]) -> Iterator[Finding]:
    """Files of ours without a row, and temp files; anything else in the folder is not touched."""
    known = {str(pk) for pk in kind._default_manager.values_list("pk", flat=True)}
    for name in sorted(files):
        shape = NAME.fullmatch(name)
        if shape and (shape[3] or shape[1] not in known) and old(f"{kind.FOLDER}/{name}"):
            path = f"{kind.FOLDER}/{name}"
            yield Finding(kind.KIND, shape[1], path, "orphan", "delete_file", partial(store().delete, path))


def old(path: str) -> bool:
    """Untouched for so long that nobody is at it any more."""
    try:
        return store().get_modified_time(path) < timezone.now() - AGE
    except FileNotFoundError:
        return False


def judged(row: Any, files: set[str], hashes: bool) -> Iterator[Finding]:
    """What is wrong with one row."""
    found, state = partial(Finding, row.KIND, str(row.pk), str(row)), row.State
    here = f"{row.pk}{row.SUFFIX}" in files
    if row.state == state.DELETING:
        yield found("stuck_deleting", "finish", row.remove)
    elif row.state == state.PENDING:
        if row.created_at < timezone.now() - AGE:
            yield found("stuck_pending", "remove", row.remove)
    elif isinstance(row, Keepable) and row.archived:
        if here:
            yield found("leftover", "delete_file", row.drop_leftover)
    elif problem := "" if here and whole(row, hashes) else ("changed" if here else "missing"):
        if isinstance(row, Keepable) and row.archive_address:
            yield found(problem, "restore", row.restore)
        elif row.state == state.READY:
            yield found(problem, "mark_damaged", partial(mark, row, state.DAMAGED))
    elif row.state == state.DAMAGED:
        yield found("whole_again", "mark_ready", partial(mark, row, state.READY))


def whole(row: Artifact, hashes: bool) -> bool:
    """Size, and with `hashes` every byte."""
    try:
        if store().size(row.path) != row.size:
            return False
        return not hashes or digest(row.path) == row.sha256
    except FileNotFoundError:
        return False


def digest(path: str) -> str:
    """SHA-256 of a stored file."""
    found = hashlib.sha256()
    with store().open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def mark(row: Artifact, state: str) -> None:
    """The new state; a damaged version in use hands over to another."""
    changed = type(row)._default_manager.filter(pk=row.pk, state=row.state).update(state=state)
    if changed and state == row.State.DAMAGED:
        row.on_damaged()


def looks_unplugged(found: list[Finding]) -> bool:
    """Most files of a kind are missing at once: rather the folder or the bucket is not there."""
    for kind in kinds():
        missing = sum(one.problem == "missing" and one.kind == kind.KIND for one in found)
        if missing > MANY and missing > kind._default_manager.filter(state=Artifact.State.READY).count() / 2:
            return True
    return False
