"""Takes files that are complete out of the place of a source, each content once, and moves them away."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import PurePath
from typing import Any

from django.db import transaction
from django.utils import timezone

from registry.datasets.importing.formats.readers import READERS
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.opening import open_place
from registry.datasets.sources.places import FoundFile, Place, list_matching
from registry.datasets.uploads import Upload
from registry.lib.errors import gettext_noop, split_error

SETTLE = timedelta(seconds=20)  # that a file stays the same before it is taken
NO_READER = gettext_noop(
    "Files of the type {suffix} cannot be read: send CSV, Excel, OpenDocument or Parquet."
)
SAME_AS = gettext_noop("{name} had the same content.")
State = SourceFile.State
logger = logging.getLogger(__name__)


def fetch_source(source: Source) -> int:
    """Takes what is complete; how many files are still arriving. What goes wrong is kept in the source."""
    problem: dict[str, Any] = {}
    try:
        place = open_place(source)
        if place is not None:
            found = list_matching(place, source.pattern)
            forget_vanished(source, found)
            for one in found:
                look_at_file(source, place, one)
            move_ended(source, place)
    except (ValueError, OSError) as error:
        message, values = split_error(error)
        problem = {"message": message, "values": values}
        logger.warning("The source %s cannot be read: %s", source, error)
    Source.objects.filter(pk=source.pk).update(looked_at=timezone.now(), problem=problem)
    return source.files.filter(state=State.SEEN).count()


def forget_vanished(source: Source, found: Iterable[FoundFile]) -> None:
    """Forgets files that were still arriving and are gone or have changed since."""
    there = {(one.name, one.stamp) for one in found}
    for row in source.files.filter(state=State.SEEN):
        if (row.name, row.stamp) not in there:
            row.delete()


def look_at_file(source: Source, place: Place, found: FoundFile) -> None:
    """Notes a file, and takes it if it is complete."""
    row, _made = source.files.get_or_create(name=found.name, stamp=found.stamp, defaults={"size": found.size})
    if row.state == State.SEEN and is_complete(source, place, found, row):
        take_file(row, place)
    elif row.folder:  # it is back, as it was
        row.folder = row.stored_name = ""
        row.save(update_fields=["folder", "stored_name"])


def is_complete(source: Source, place: Place, found: FoundFile, row: SourceFile) -> bool:
    """Whether nobody writes it any more: a marker says so, or it was the same for a while."""
    if found.has_marker or source.needs_marker:
        return found.has_marker
    return place.is_atomic or row.seen_at <= timezone.now() - SETTLE


def take_file(row: SourceFile, place: Place) -> None:
    """Copies the file, unless it changes meanwhile."""
    with place.read(row.name) as chunks:
        receive_file(row, chunks, lambda: place.find_stamp(row.name) == row.stamp)


def receive_file(row: SourceFile, chunks: Iterable[bytes], is_whole: Any = lambda: True) -> None:
    """Keeps the content as an upload and takes the row, or tells that the same content came before.

    A file that changed meanwhile is forgotten: the next look finds it anew. Raises SalesFileError.
    """
    source, digest = row.source, hashlib.sha256()
    suffix = PurePath(row.name).suffix.lower()
    if suffix not in READERS:
        row.end(State.HELD, NO_READER, {"suffix": suffix or "–"})
        return

    def hashed() -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            yield chunk

    facts: dict[str, Any] = {"file": row.name[:200], "dataset": source.dataset, "name": source.dataset.name}
    upload = Upload.objects.create_from_chunks(hashed(), suffix, created_by=source.created_by, **facts)
    if not is_whole():
        upload.delete_with_files()
        row.delete()
        return
    twin = take_row(row, upload, digest.hexdigest())
    if twin is not None:
        upload.delete_with_files()


def take_row(row: SourceFile, upload: Upload, sha256: str) -> SourceFile | None:
    """Marks the row as taken, or as repeated; the earlier file of the same content, if there is one."""
    with transaction.atomic():
        Source.objects.select_for_update().get(pk=row.source_id)
        row.sha256, row.taken_at = sha256, timezone.now()
        twin = find_twin(row)
        if twin is not None:
            row.end(State.REPEATED, SAME_AS, {"name": twin.name})
            return twin
        row.state, row.upload = State.TAKEN, upload
        row.save()
        return None


def find_twin(row: SourceFile) -> SourceFile | None:
    """An earlier file of the source with the same content. Stock may be the same on another day."""
    same = SourceFile.objects.filter(source=row.source_id, sha256=row.sha256).exclude(pk=row.pk)
    same = same.exclude(state__in=[State.REPEATED, State.SEEN])
    if row.source.kind == Source.Kind.STOCK:
        same = same.filter(taken_at__gte=timezone.localtime().replace(hour=0, minute=0, second=0))
    return same.order_by("pk").first()


def move_ended(source: Source, place: Place) -> None:
    """Moves files whose fate is known to done/ or held/, also those whose fate a curator has changed."""
    ended = source.files.filter(state__in=SourceFile.ENDED_STATES).select_related("source")
    for row in ended.exclude(state=State.HELD, folder="held").exclude(folder="done"):
        name = row.stored_name or mark_name(row)
        if not row.folder and place.find_stamp(row.name) not in ("", row.stamp):
            name = ""  # another file of that name has taken its place
        if name:
            place.move(row.stored_name or row.name, row.right_folder, name, row.folder)
        row.folder, row.stored_name = row.right_folder, name
        row.save(update_fields=["folder", "stored_name"])


def mark_name(row: SourceFile) -> str:
    """The name in done/ or held/: no file of another day takes its place."""
    path = PurePath(row.name)
    return f"{path.stem}.{row.pk}{path.suffix}"
