"""Checks files that were taken, and saves those that may be: by the same imports as the pages."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.db import transaction

from registry.datasets.importer import import_folder
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportOptions
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.stock.importer import import_stock, import_terms, read_in_sandbox
from registry.datasets.stock.models import StockSnapshot
from registry.datasets.uploads import REUSED_OPTIONS, Upload
from registry.lib.errors import gettext_noop, split_error
from registry.storage.artifacts import Artifact, CorruptArtifact

REMEMBERED = (*REUSED_OPTIONS, "dates", "decimal")
LOSING_ACTIONS = ("skip", "first", "last")
MIN_SHARE = 0.9  # of the present rows, below which a file does not replace everything by itself
ROWS_LOST = gettext_noop("{lost} of {rows} rows would be left out: look at the findings and decide.")
TOO_SHORT = gettext_noop("The file has {rows} rows and would replace {before}: check that it is whole.")
GONE = gettext_noop("It was discarded.")
State = SourceFile.State


def check_file(row: SourceFile) -> None:
    """Checks a taken file: it may be saved afterwards, or is held with the reason."""
    try:
        hold = None
        if row.source.kind == Source.Kind.SALES:
            hold = check_sales(row)
        else:
            check_table(row)
    except (SalesFileError, CorruptArtifact) as problem:
        hold = split_error(problem)
    if hold:
        hold_file(row, *hold)
        return
    row.state = State.CHECKED
    row.save(update_fields=["state"])


def hold_file(row: SourceFile, text: str, values: dict[str, Any]) -> None:
    """Holds a file. Sales wait as an upload for a curator; other files are sent again, corrected."""
    row.end(State.HELD, text, values)
    upload = None if row.source.kind == Source.Kind.SALES else row.upload
    if upload is not None:
        upload.delete_with_files()


def check_sales(row: SourceFile) -> tuple[str, dict[str, Any]] | None:
    """Runs the checks of the import; why the file is held, if it is. Raises SalesFileError."""
    upload = require_upload(row)
    source = row.source
    upload.dataset = Dataset.objects.get(pk=source.dataset_id)  # with its present version
    upload.reading = {"country": "", "replace": source.mode == Source.Mode.WHOLE, **source.reading}
    upload.detect_columns()
    upload.reading = {**upload.reading, **source.reading}
    upload.run_checks()
    return find_losses(upload, source)


def find_losses(upload: Upload, source: Source) -> tuple[str, dict[str, Any]] | None:
    """Why a curator has to decide: more rows are lost than the source allows."""
    report = upload.report
    lost = sum(count_lost(finding) for finding in report["findings"])
    of = max(report.get("rows_read", 0), lost, 1)
    if lost > of * source.max_lost / 100:
        return ROWS_LOST, {"lost": lost, "rows": of}
    current = upload.dataset.current_version if upload.dataset else None
    if source.mode == Source.Mode.WHOLE and current and report["rows"] < MIN_SHARE * current.rows:
        return TOO_SHORT, {"rows": report["rows"], "before": current.rows}
    return None


def count_lost(finding: Mapping[str, Any]) -> int:
    """Rows that the action of a finding leaves out.

    >>> count_lost({"code": "bad-date", "count": 3, "action": "skip", "effect": {"rows": 2}})
    2
    >>> count_lost({"code": "outlier", "count": 3, "action": "keep"})
    0
    """
    if finding["action"] not in LOSING_ACTIONS:
        return 0
    return int(finding.get("effect", {}).get("rows", finding["count"]))


def check_table(row: SourceFile) -> None:
    """Reads stock or terms as the import does; raises SalesFileError."""
    upload, source = require_upload(row), row.source
    with import_folder() as folder:
        read_in_sandbox(upload.fetch(upload.source_name), folder, build_options(row), source.kind)


def save_file(row: SourceFile) -> None:
    """Saves a checked file, or holds it if the dataset has changed so that it may not be saved."""
    try:
        if row.source.kind == Source.Kind.SALES:
            save_sales(row)
        else:
            save_table(row)
    except (SalesFileError, CorruptArtifact) as problem:
        hold_file(row, *split_error(problem))


def save_sales(row: SourceFile) -> None:
    """Saves the content that was checked; checks it again if the dataset has another version by now."""
    upload, source = require_upload(row), row.source
    current = Dataset.objects.get(pk=source.dataset_id).current_version
    if upload.report.get("base") != (str(current.pk) if current else "none"):
        check_file(row)
        if row.state != State.CHECKED:
            return
        upload = require_upload(row)
    upload.save_as_version(source.created_by)  # `note_saved` hears of it


def note_saved(upload: Upload, version: DatasetVersion, **given: Any) -> None:
    """Signal handler: a file was saved, by its source or by a curator; its source reads the next alike."""
    for row in SourceFile.objects.filter(upload=upload).select_related("source"):
        remembered = {name: version.reading[name] for name in REMEMBERED if version.reading.get(name)}
        rows = upload.report.get("changes") or {"added": upload.report["rows"], "changed": 0}
        with transaction.atomic():
            Source.objects.filter(pk=row.source_id).update(reading=remembered)
            row.end(State.SAVED, version=version, rows=rows["added"] + rows["changed"])


def save_table(row: SourceFile) -> None:
    """Imports stock or terms; once, however often it is begun. Raises SalesFileError."""
    upload, source = require_upload(row), row.source
    made = StockSnapshot.objects.filter(
        dataset=source.dataset_id, file_sha256=row.sha256, created_at__gte=row.taken_at
    )
    snapshot = made.filter(state=Artifact.State.READY).first()
    if snapshot is None and source.kind == Source.Kind.STOCK:
        path, options = upload.fetch(upload.source_name), build_options(row)
        snapshot = import_stock(path, source.dataset, options, created_by=source.created_by)
    if snapshot is not None:
        rows = snapshot.rows
    else:
        path, options = upload.fetch(upload.source_name), build_options(row)
        rows = import_terms(path, source.dataset, options, created_by=source.created_by)
    row.end(State.SAVED, rows=rows)
    upload.delete_with_files()


def build_options(row: SourceFile) -> ImportOptions:
    """How a file of stock or terms is read."""
    known = {name: value for name, value in row.source.reading.items() if name in REMEMBERED}
    known["replace"] = row.source.mode == Source.Mode.WHOLE
    return ImportOptions(**{**known, "file": row.name[:200]})


def require_upload(row: SourceFile) -> Upload:
    """The file that was taken; raises SalesFileError if somebody discarded it."""
    with suppress(Upload.DoesNotExist):
        return Upload.objects.select_related("dataset").get(source_files=row)
    raise SalesFileError(GONE)
