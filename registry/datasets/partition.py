"""Moves a version of release 0.1, whose rows are in one file, into parts. Safe to kill and to repeat.

The parts and the list of them are written beside the one file; one transaction makes the version read them;
then the file goes. The row keeps its id and the hash of its content, so models keep what they saw.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from registry.datasets.importer import import_folder
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox import launcher
from registry.datasets.models import DatasetVersion
from registry.datasets.store.manifest import build_manifest
from registry.datasets.store.reading import place_parts
from registry.datasets.store.saving import SavedParts, save_parts
from registry.storage.artifacts import get_artifact_store

LOCK_NAME = "partition"


def find_whole_versions() -> QuerySet[DatasetVersion]:
    """The versions whose rows are in one file, the oldest of each dataset first, so that later ones share."""
    ready = DatasetVersion.State.READY
    found = DatasetVersion.objects.filter(state=ready, layout_facts__isnull=True)
    return found.select_related("dataset").order_by("dataset", "number")


def partition_version(version: DatasetVersion) -> SavedParts:
    """Moves one version; raises SalesFileError or CorruptArtifact and leaves it as it was."""
    whole, store = version.path, get_artifact_store()
    before = version.dataset.versions.filter(state=version.state, layout_facts__isnull=False)
    base = before.filter(number__lt=version.number).order_by("-number").first()
    with import_folder() as folder:
        content = folder / "content.parquet"
        version.copy_file_to(content)
        saved = save_parts(version, content, base)
        moved = DatasetVersion(pk=version.pk, dataset=version.dataset, number=version.number)
        moved.layout_facts = saved.layout.as_json()
        try:
            items = check_parts(version, saved, content)
            moved.write(build_manifest(saved.all, items, saved.left_out))
            publish_parts(moved, saved)
        except BaseException:
            saved.remove()
            if not DatasetVersion.objects.filter(pk=version.pk, layout_facts__isnull=False).exists():
                store.delete(moved.path)
            raise
    store.delete(whole)
    return saved


def check_parts(version: DatasetVersion, saved: SavedParts, content: Path) -> list[dict[str, Any]]:
    """The catalog, built from the parts in the sandbox; raises SalesFileError if they hold other rows."""
    parts = content.parent / "parts"
    place_parts(saved.all, parts)
    job = ImportJob(
        path=str(content.resolve()),
        name=str(version),
        folder=str(content.parent.resolve()),
        reading=ImportOptions(roles=version.roles),
        parts=str(parts.resolve()),
        only="items",
    )
    report = launcher.run_in_sandbox(job)
    if report["hash"] != version.content_hash:
        raise SalesFileError(
            _("%(version)s would hold other rows: it stays one file.") % {"version": version}
        )
    items: list[dict[str, Any]] = report["items"]
    return items


def publish_parts(moved: DatasetVersion, saved: SavedParts) -> None:
    """Lets the row read the parts; raises SalesFileError if it was deleted or moved in the meantime."""
    facts = {name: getattr(moved, name) for name in ("layout_facts", "size", "sha256")}
    with transaction.atomic():
        if not find_whole_versions().order_by().filter(pk=moved.pk).update(**facts):
            words = {"version": moved}
            raise SalesFileError(_("%(version)s was deleted or moved in the meantime.") % words)
        saved.publish(moved)


def remove_left_files(report: Callable[[DatasetVersion], object]) -> None:
    """Removes the one file of each version that reads its parts: a move was killed before it did."""
    store = get_artifact_store()
    for version in DatasetVersion.objects.filter(layout_facts__isnull=False).select_related("dataset"):
        whole = f"{version.FOLDER}/{version.pk}{version.SUFFIX}"
        if store.exists(whole):
            store.delete(whole)
            report(version)
