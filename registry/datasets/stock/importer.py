"""Imports files of stock and terms: whole, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from registry.access.audit import AuditAction, record_action
from registry.datasets.importer import import_folder
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.options import ImportJob, ImportOptions
from registry.datasets.importing.sandbox import launcher
from registry.datasets.models import Dataset
from registry.datasets.stock.columns import TERMS_VALUES
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.stock.reading import CONTENT, STOCK, TERMS, find_key
from registry.lib.hashing import sha256_of

WHOLE = ("lead_days", "review_days", "shelf_life")
TEXTS = ("supplier", "weekdays", "shut_days")


def import_stock(
    path: Path,
    dataset: Dataset,
    options: ImportOptions | None = None,
    as_of: dt.date | None = None,
    created_by: User | None = None,
) -> StockSnapshot:
    """The saved stock of a file; `as_of` is the day of a file without one, today by default.

    Raises SalesFileError or AmbiguousValue, and saves nothing.
    """
    options = options or ImportOptions()
    with import_folder() as folder:
        report = read_in_sandbox(path, folder, options, STOCK)
        content = folder / CONTENT
        day = dt.date.fromisoformat(report["as_of"]) if report["as_of"] else as_of or timezone.localdate()
        with path.open("rb") as stream:
            digest = sha256_of(stream)
        facts = {"rows": report["rows"], "below_zero": report["below_zero"], "file_sha256": digest}
        snapshot = StockSnapshot(dataset=dataset, as_of=day, created_by=created_by, **facts)
        snapshot.file = (options.file or path.name)[:200]
        snapshot.unknown = count_unknown(content, dataset)
        return save_snapshot(snapshot, content)


def save_snapshot(snapshot: StockSnapshot, content: Path) -> StockSnapshot:
    """Writes the file before the row says ready; removes both if that fails. Raises SalesFileError."""
    snapshot.save(force_insert=True)
    try:
        snapshot.write_file(content)
        with transaction.atomic():
            snapshot.mark_ready()
            record_action(AuditAction.IMPORTED, snapshot, snapshot.created_by, snapshot.file)
    except BaseException as problem:
        snapshot.remove()
        if isinstance(problem, OSError):
            words = {"dataset": snapshot.dataset, "reason": problem.strerror or problem}
            raise SalesFileError(
                _("The stock of %(dataset)s could not be saved: %(reason)s.") % words
            ) from problem
        raise
    return snapshot


def import_terms(
    path: Path,
    dataset: Dataset,
    options: ImportOptions | None = None,
    created_by: User | None = None,
) -> int:
    """The number of rows of terms saved: each takes the place of an earlier one, or all do (`replace`).

    Raises SalesFileError or AmbiguousValue, and saves nothing.
    """
    options = options or ImportOptions()
    with import_folder() as folder:
        read_in_sandbox(path, folder, options, TERMS)
        cells = pq.read_table(folder / CONTENT).to_pydict()
    rows = [build_terms(dataset, cells, row) for row in range(len(cells["supplier"]))]
    with transaction.atomic():
        Dataset.objects.select_for_update().get(pk=dataset.pk)
        earlier = Terms.objects.filter(dataset=dataset)
        if options.replace:
            earlier.delete()
        keys = {(row.level, row.key) for row in rows}
        earlier.filter(pk__in=[one.pk for one in earlier if (one.level, one.key) in keys]).delete()
        Terms.objects.bulk_create(rows, batch_size=500)
        record_action(AuditAction.IMPORTED, dataset, created_by, options.file or path.name)
    return len(rows)


def build_terms(dataset: Dataset, cells: dict[str, list[Any]], row: int) -> Terms:
    """A row of terms from the cells of a file."""
    level, key = find_key(cells, row)
    values: dict[str, Any] = {name: cells[name][row] for name in (*TERMS_VALUES, "supplier")}
    values |= {name: values[name] or "" for name in TEXTS}
    values |= {name: None if values[name] is None else int(values[name]) for name in WHOLE}
    return Terms(dataset=dataset, level=level, key=key, **values)


def read_in_sandbox(path: Path, folder: Path, options: ImportOptions, kind: str) -> dict[str, Any]:
    """The report of the confined process, which writes the rows into the folder."""
    if not path.is_file():
        raise SalesFileError(_("%(file)s does not exist: check the path.") % {"file": path})
    today, language = timezone.localdate().isoformat(), get_language() or "en"
    job = ImportJob(
        path=str(path.resolve()),
        name=options.file or path.name,
        folder=str(folder.resolve()),
        reading=options,
        today=today,
        only=kind,
        language=language,
    )
    return launcher.run_in_sandbox(job)


def count_unknown(content: Path, dataset: Dataset) -> int:
    """How many rows are of stores or products that the dataset does not know; no line is made for them."""
    current = Dataset.objects.get(pk=dataset.pk).current_version  # a row in use may remember an older one
    table = pq.read_table(content, columns=["store_id", "product_id"])
    if current is None:
        return int(table.num_rows)
    known = pc.and_(
        pc.is_in(table["store_id"], value_set=as_array(current.stores)),
        pc.is_in(table["product_id"], value_set=as_array(current.products)),
    )
    return int(table.num_rows - (pc.sum(known).as_py() or 0))


def as_array(codes: Iterable[str]) -> Any:
    """The codes as Arrow texts."""
    return pa.array(list(codes), pa.string())
