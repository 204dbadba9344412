"""Imports sales files into dataset versions and restores earlier versions."""

from __future__ import annotations

import datetime as dt
import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registry.access.audit import AuditAction, record_action
from registry.datasets.catalog import Item
from registry.datasets.importing.covariate_roles import ColumnRoles
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.pieces.base import part_name
from registry.datasets.importing.sandbox import launcher
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.store.manifest import build_manifest, hash_parts, read_items
from registry.datasets.store.reading import (
    are_parts_local,
    fetch_parts,
    naming_version,
    place_parts,
    read_version_metadata,
)
from registry.datasets.store.saving import SavedParts, is_same_content, save_parts, share_parts
from registry.storage.artifacts import CorruptArtifact

FOLDER_PREFIX, LOCK_NAME = "import-", "in-use"
MIN_AGE_SECONDS = 60  # of a folder that nobody uses: its import may be about to
VERSION_FIELDS = ("rows", "stores", "products", "series", "roles", "findings", "reading")


def import_file(
    path: Path,
    name: str,
    roles: ColumnRoles | None = None,
    options: ImportOptions | None = None,
    created_by: User | None = None,
) -> DatasetVersion:
    """The version that holds the file; the current one when nothing changes.

    Rows of the file replace those of the same date, store and product; with `options.replace` they replace
    the whole dataset. `roles` is {column: known | past | static}; other columns keep their role or get one
    proposed. Raises SalesFileError or AmbiguousValue and saves nothing when the file is faulty.
    """
    options = replace(options or ImportOptions(), roles=roles or {})
    name = clean_dataset_name(name)
    with import_folder() as folder:
        report = inspect_file(path, folder, options, Dataset.objects.filter(name=name).first())
        return save_version(name, report, folder / "canonical.parquet", created_by)


@contextmanager
def import_folder() -> Iterator[Path]:
    """A temporary folder for the files of an import; those that killed imports left are removed."""
    uploads = settings.DATA_DIR / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    remove_left_folders(uploads)
    with TemporaryDirectory(dir=uploads, prefix=FOLDER_PREFIX) as name:
        folder = Path(name)
        with (folder / LOCK_NAME).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process
            yield folder


def remove_left_folders(uploads: Path) -> None:
    """Removes the folders of imports whose process has ended."""
    for folder in uploads.glob(f"{FOLDER_PREFIX}*"):
        with suppress(OSError), (folder / LOCK_NAME).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises where the import still runs
            if time.time() - folder.stat().st_mtime > MIN_AGE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def inspect_file(
    path: Path, folder: Path, options: ImportOptions, dataset: Dataset | None = None, only: str = ""
) -> dict[str, Any]:
    """The report about a file as it would be imported; raises SalesFileError or AmbiguousValue.

    The sandbox writes canonical.parquet and bad.csv into the folder.
    """
    options.check_values()
    current = dataset.current_version if dataset else None
    if not path.is_file():
        raise SalesFileError(_("%(file)s does not exist: check the path.") % {"file": path})
    job = ImportJob(
        path=str(path.resolve()),
        name=options.file or path.name,
        folder=str(folder.resolve()),
        reading=options,
        today=timezone.localdate().isoformat(),
        only=only,
        language=get_language() or "en",
    )
    with TemporaryDirectory(dir=folder, prefix="base-") as place:
        if current is not None and not only:
            options = replace(options, roles={**current.roles, **options.roles})
            base = place_content(current, Path(place).resolve(), path.stat().st_size)
            job = replace(job, reading=options, **base)
        while "missing" in (report := launcher.run_in_sandbox(job)):
            place_missing(current, Path(job.parts), report["missing"])
    if current is not None and "damaged" in report:
        raise find_damage(current, report["damaged"])
    if only:
        return report
    saved = replace(options, on_problem="propose", replace=False, file=job.name)
    facts = {name: report[name] for name in ("mapping", "signature", "about", "summary")}
    report["reading"] = {**asdict(saved), **facts}
    return {**report, "base": str(current.pk) if current else "none"}


def place_content(version: DatasetVersion, folder: Path, file_bytes: int) -> dict[str, Any]:
    """The fields of an ImportJob that let the sandbox read a version; raises CorruptArtifact.

    Parts that would have to be downloaded for a smaller file wait until it asks for them.
    """
    base, parts = folder / "base.parquet", folder / "parts"
    version.copy_file_to(base)
    if not version.layout:
        return {"base": str(base)}
    with naming_version(version):
        wait = not are_parts_local() and file_bytes < version.stored_bytes
        found = version.parts.none() if wait else version.parts.all()
        place_parts(found, parts, is_checked=False)  # the sandbox checks what it reads
    return {"base": str(base), "parts": str(parts), "layout": version.layout_facts}


def place_missing(version: DatasetVersion | None, folder: Path, names: list[str]) -> None:
    """Adds parts to those that the sandbox may read; raises CorruptArtifact."""
    if version is None or any((folder / name).exists() for name in names):
        raise ValueError(names)  # it would ask for ever
    wanted = {part_name(part.first, part.bucket): part for part in version.ordered_parts}
    with naming_version(version):
        fetch_parts([(wanted[name], folder / name) for name in names])


def find_damage(version: DatasetVersion, name: str) -> Exception:
    """What is wrong with a part that the sandbox found damaged."""
    try:
        with naming_version(version):
            for part in version.parts.all():
                if part_name(part.first, part.bucket) == name:
                    part.read()
    except CorruptArtifact as problem:
        return problem
    return SalesFileError(
        _("%(dataset)s has changed in the meantime: check the file again.") % {"dataset": version.dataset}
    )


def clean_dataset_name(name: str) -> str:
    """The dataset's name without surrounding spaces; raises SalesFileError when it is invalid."""
    name = name.strip()
    if not name or len(name) > 80 or not name.isprintable():
        raise SalesFileError(_("The dataset needs a name of 1 to 80 visible characters."))
    return name


def save_version(
    name: str,
    report: dict[str, Any],
    content: Path,
    created_by: User | None = None,
    on_saved: Callable[[DatasetVersion], None] | None = None,
) -> DatasetVersion:
    """Saves the checked content as the current version; returns the existing one when nothing changes.

    `on_saved` is called in the transaction that makes a new version current; what it raises undoes it.
    """
    version, base = create_pending_version(name, report, created_by)
    if version == base:
        return version
    saved: SavedParts | None = None
    try:
        saved = save_parts(version, content, base, report.get("places"))
        if base is not None and base.roles == version.roles and is_same_content(saved, base):
            version.remove()
            return base
        version.layout_facts, version.content_hash = saved.layout.as_json(), hash_parts(saved.all)
        version.save(update_fields=["layout_facts"])  # first, because its path depends on it
        version.write(build_manifest(saved.all, report["items"], saved.left_out, saved.facts))
        with transaction.atomic():
            saved.publish(version)
            version.mark_ready()
            Item.objects.replace_all(version.dataset_id, report["items"])
            source = report.get("source", report["reading"].get("file", ""))
            record_action(AuditAction.IMPORTED, version, created_by, source)
            if on_saved is not None:
                on_saved(version)
    except BaseException as problem:
        if saved is not None:
            saved.remove()
        version.remove()
        if not version.dataset.versions.exists():
            version.dataset.delete()
        if isinstance(problem, OSError):
            words = {"dataset": version.dataset, "reason": problem.strerror or problem}
            raise SalesFileError(_("%(dataset)s could not be saved: %(reason)s.") % words) from problem
        raise
    return version


def create_pending_version(
    name: str, report: dict[str, Any], created_by: User | None
) -> tuple[DatasetVersion, DatasetVersion | None]:
    """A pending version with the next number, and the current one; that one twice if it is the same.

    Locks the dataset.
    """
    with transaction.atomic():
        Dataset.objects.get_or_create(name=name, defaults={"created_by": created_by})
        dataset = Dataset.objects.select_for_update().get(name=name)
        country = report["reading"]["country"].upper()
        if country and dataset.country != country:
            dataset.country = country
            dataset.save(update_fields=["country"])
        current = dataset.current_version
        if report["base"] and (str(current.pk) if current else "none") != report["base"]:
            words = {"dataset": dataset}
            raise SalesFileError(_("%(dataset)s has changed in the meantime: check the file again.") % words)
        if current and (current.content_hash, current.roles) == (report.get("hash"), report["roles"]):
            return current, current  # of release 0.1, whose hash is over its columns
        newest = dataset.versions.order_by("-number").first()
        fields = {name: report[name] for name in VERSION_FIELDS}
        version = dataset.versions.create(
            number=newest.number + 1 if newest else 1,
            first=dt.date.fromisoformat(report["first"]),
            last=dt.date.fromisoformat(report["last"]),
            created_by=created_by,
            **fields,
        )
        return version, current


def restore_version(version: DatasetVersion, created_by: User | None = None) -> DatasetVersion:
    """Makes an earlier version current again, as a new one with its parts; that can be undone, too."""
    items = read_items(read_version_metadata(version)) if version.layout else None
    if items is None:
        return restore_content(version, created_by)
    facts = {name: getattr(version, name) for name in VERSION_FIELDS}
    report = {**facts, "first": version.first.isoformat(), "last": version.last.isoformat(), "base": ""}
    report["reading"] = {"country": "", **version.reading}
    again, _current = create_pending_version(version.dataset.name, report, created_by)
    try:
        again.layout_facts, again.content_hash = version.layout_facts, version.content_hash
        again.save(update_fields=["layout_facts"])
        again.write(version.read())
        with transaction.atomic():
            share_parts(again, version)
            again.mark_ready()
            Item.objects.replace_all(again.dataset_id, items)
            record_action(AuditAction.IMPORTED, again, created_by, str(version))
    except BaseException:
        again.remove()
        raise
    return again


def restore_content(version: DatasetVersion, created_by: User | None) -> DatasetVersion:
    """Saves the rows of an earlier version again: one whose file does not hold its catalog."""
    with import_folder() as folder:
        content = folder / "content.parquet"
        version.copy_file_to(content)
        report = inspect_file(
            content, folder, ImportOptions(roles=version.roles, file=str(version)), only="items"
        )
        fields = {name: getattr(version, name) for name in VERSION_FIELDS}
        report |= {**fields, "base": "", "first": version.first.isoformat()}
        report["last"] = version.last.isoformat()
        report["reading"] = {"country": "", **version.reading}
        report["source"] = str(version)
        return save_version(version.dataset.name, report, content, created_by)
