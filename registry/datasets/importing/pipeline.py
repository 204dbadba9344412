"""The whole way of a file, as the confined process walks it: read, match, check, join, write."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.canonical import CanonicalTable
from registry.datasets.importing.catalog_figures import build_catalog
from registry.datasets.importing.column_mapping import match_columns, to_long_format
from registry.datasets.importing.covariate_roles import check_roles
from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.finding_log import FindingLog, format_scalar
from registry.datasets.importing.findings import Example
from registry.datasets.importing.headers import normalize_name
from registry.datasets.importing.merge import load_canonical, merge_tables
from registry.datasets.importing.options import ImportJob
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.readers import read_file, unreadable_message
from registry.datasets.importing.row_checks import CheckedRows, check_table
from registry.datasets.importing.series_checks import SeriesChecks, select_rows
from registry.datasets.importing.values import CategoricalColumn
from registry.lib.csv_safe import escape_formula_text

SAMPLE_COUNT = 4


def run_import(job: ImportJob) -> dict[str, Any]:
    """The report; the canonical content and the bad rows lie in the job's folder."""
    if job.only == "items":
        return {"items": build_catalog(load_canonical(Path(job.path)), job.reading.roles)}
    try:
        return import_table(job, read_file(Path(job.path), job.name))
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
    ) as problem:  # content that is not what its type says
        raise SalesFileError(unreadable_message(job.name, problem)) from None


def import_table(job: ImportJob, raw: RawTable) -> dict[str, Any]:
    """What follows the reading."""
    look = detect_columns(raw, job)
    if job.only == "look":
        return look
    today = dt.date.fromisoformat(job.today) if job.today else None
    checked, check = check_table(raw, job.reading, today)
    base = load_canonical(Path(job.base)) if job.base else None
    if base is not None:
        checked = flag_new_codes(check, checked, base)
    content, numbers, changes = checked.content, checked.row_numbers, None
    if base is not None and not job.reading.replace:
        content, numbers, changes = merge_tables(base, content, numbers)
    content, numbers = SeriesChecks(check, content, numbers).run_checks()
    write_bad_rows(Path(job.folder) / "bad.csv", check)
    with ThreadPoolExecutor(1) as helper:  # Arrow and the hash let each other work
        written = helper.submit(content.write_parquet, Path(job.folder) / "canonical.parquet")
        told = build_report(job, checked, check, content)
        written.result()
    return {**look, **told, "changes": asdict(changes) if changes else None}


def detect_columns(raw: RawTable, job: ImportJob) -> dict[str, Any]:
    """Columns with a few of their values, what each is taken for, and how the file was read."""
    names = raw.table.column_names
    mapping = match_columns(
        names, {ours: name for ours, name in job.reading.mapping.items() if name in names}
    )
    question: AmbiguousValue | None = None
    long = raw
    try:
        long, mapping = to_long_format(raw, mapping)
    except AmbiguousValue as asked:
        question = asked
    ours = {theirs: name for name, theirs in mapping.items()}
    there = set(long.table.column_names)  # in a wide file, without the columns of days or products
    shown = [name for name in names if name.strip() and name in there][:200]
    columns = [
        {"name": name, "is": ours.get(name, ""), "samples": sample_values(long, name)} for name in shown
    ]
    return {
        "columns": columns,
        "mapping": mapping,
        "about": {"layout": "long", **long.file_format},
        "signature": hash_columns(shown),
        "rows_read": raw.table.num_rows,
        "question_first": question.field_name if question else "",
    }


def sample_values(raw: RawTable, name: str) -> list[str]:
    """The first values, cut to what fits a table cell."""
    values = (format_scalar(value) for value in raw.table[name][:50])
    return [value[:40] for value in dict.fromkeys(values) if value.strip()][:SAMPLE_COUNT]


def hash_columns(names: list[str]) -> str:
    """One word for files of the same columns, in whatever order and spelling."""
    return hashlib.sha256("\0".join(sorted(normalize_name(name) for name in names)).encode()).hexdigest()[:32]


def flag_new_codes(log: FindingLog, checked: CheckedRows, base: CanonicalTable) -> CheckedRows:
    """Findings about stores and products that the dataset does not have yet."""
    content, numbers = checked.content, checked.row_numbers
    for code, name in (("new-store", "stores"), ("new-product", "products")):
        texts: CategoricalColumn = getattr(content, name)
        there = set(getattr(base, name).values)
        fresh = [place for place, value in enumerate(texts.values) if value not in there]
        if not fresh:
            continue
        places = [find_example(log, checked, texts, place, code) for place in fresh[: log.MAX_BAD_ROWS]]
        if log.add_finding(code, places, len(fresh)) == "skip":
            use = ~np.isin(texts.codes, fresh)
            content, numbers = select_rows(content, use), numbers[use]
            if not content.row_count:
                raise SalesFileError(_("%(file)s has no usable row.") % {"file": log.raw.name})
            checked = replace(checked, content=content, row_numbers=numbers)
    return checked


def find_example(
    log: FindingLog, checked: CheckedRows, texts: CategoricalColumn, code: int, finding: str
) -> Example:
    """The first row of the file with that code."""
    column = "store_id" if finding == "new-store" else "product_id"
    row = int(checked.row_numbers[texts.codes == code].min())
    return Example(row, log.column_label(column), texts.values[code])


def build_report(
    job: ImportJob, checked: CheckedRows, log: FindingLog, content: CanonicalTable
) -> dict[str, Any]:
    """What there is to say about the content that would be saved."""
    ours = {theirs: name for name, theirs in checked.mapping.items()}
    given = {ours.get(name, name): role for name, role in job.reading.roles.items()}
    given = {name: role for name, role in given.items() if not (job.base and name not in content.extras)}
    check_roles(job.name, given, list(content.extras))
    roles = content.assign_roles(given)
    first, last = content.date_range
    return {
        "hash": content.content_hash,
        "rows": content.row_count,
        "stores": content.stores.values,
        "products": content.products.values,
        "series": len(content.series_starts),
        "first": first.isoformat(),
        "last": last.isoformat(),
        "plan": int((content.days > (last - dt.date(1970, 1, 1)).days).sum()),
        "roles": roles,
        "findings": [finding.as_json() for finding in log.findings],
        "about": checked.file_format,
        "mapping": checked.mapping,
        "items": build_catalog(content, roles),
    }


def write_bad_rows(path: Path, log: FindingLog) -> None:
    """Every doubtful row for a spreadsheet; a text that a spreadsheet would run as a formula is disarmed."""
    done = {finding.code: finding.action for finding in log.findings}
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "finding", "column", "value", "done"])
        for code, places in log.bad_places:
            for place in places:
                writer.writerow(
                    [
                        place.row,
                        code,
                        escape_formula_text(place.column),
                        escape_formula_text(place.value),
                        done.get(code, ""),
                    ]
                )
