"""The steps of an import in the sandbox: read, map columns, check rows, merge, check series, write."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from django.utils.translation import gettext as _

from registry.datasets.importing.batches.all_rows import check_all_rows
from registry.datasets.importing.batches.large_file import LargeFile, RowsDiffer
from registry.datasets.importing.catalog_figures import SeriesLabels, build_catalog
from registry.datasets.importing.checks.finding_log import FindingLog, format_scalar
from registry.datasets.importing.checks.row_checks import CheckedRows, check_table
from registry.datasets.importing.checks.series_checks import select_rows
from registry.datasets.importing.column_mapping import DetectedColumns, detect_columns
from registry.datasets.importing.covariate_roles import check_roles
from registry.datasets.importing.errors import SalesFileError
from registry.datasets.importing.facts.sales_facts import SalesFacts
from registry.datasets.importing.finding_effects import measure_content
from registry.datasets.importing.findings import Example
from registry.datasets.importing.formats.readers import read_file, unreadable_message
from registry.datasets.importing.headers import normalize_name
from registry.datasets.importing.merge import load_canonical
from registry.datasets.importing.options import ImportJob
from registry.datasets.importing.parts import load_parts
from registry.datasets.importing.pieces.assembly import Assembly
from registry.datasets.importing.pieces.base import DamagedPart, MissingParts, SalesBase
from registry.datasets.importing.pieces.plan import plan_pieces
from registry.datasets.importing.raw_table import RawTable
from registry.datasets.importing.role_proposals import propose_roles
from registry.datasets.importing.sales_summary import summarize_sales
from registry.datasets.importing.values import CategoricalColumn
from registry.datasets.stock.reading import STOCK, TERMS, read_table_file
from registry.lib.csv_safe import format_csv_rows
from registry.lib.days import from_day_number

SAMPLE_COUNT, SAMPLE_LENGTH, SAMPLE_ROWS = 4, 40, 50  # values of a column, letters of each, rows searched
MAX_SHOWN_COLUMNS = 200


def run_import(job: ImportJob) -> dict[str, Any]:
    """The report; writes canonical.parquet and bad.csv into the job's folder. Raises SalesFileError."""
    if job.only == "items":
        return describe_content(job)
    try:
        raw = read_file(
            Path(job.path),
            job.name,
            job.reading.encoding,
            may_guess=job.only == "look",
            one_sheet=job.reading.choices.get("joined-sheets") == "one",
        )
        with raw:
            return read_table_file(job, raw) if job.only in (STOCK, TERMS) else import_table(job, raw)
    except DamagedPart as part:
        return {"damaged": str(part)}
    except MissingParts as parts:
        return {"missing": parts.names}
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:  # content that belies its type
        raise SalesFileError(unreadable_message(job.name, problem)) from None


def describe_content(job: ImportJob) -> dict[str, Any]:
    """The catalog of a version, and the hash of its rows."""
    content = load_parts(Path(job.parts).iterdir()) if job.parts else load_canonical(Path(job.path))
    labels = SeriesLabels()
    labels.collect(content, job.reading.roles)
    items = build_catalog(SalesFacts.from_content(content), labels, job.reading.roles)
    return {"items": items, "hash": content.content_hash}


def import_table(job: ImportJob, raw: RawTable) -> dict[str, Any]:
    """Everything after the file is read."""
    detected = detect_columns(raw, job.reading.mapping, job.reading.dates or job.reading.usual_dates)
    columns_report = describe_columns(raw, detected)
    if job.only == "look":
        return columns_report
    if detected.question:
        raise detected.question
    if detected.long is not raw:
        raw.release_table()
    today = dt.date.fromisoformat(job.today) if job.today else None
    base = SalesBase.open(job)
    if detected.long.large is not None:
        checked, assembly = check_large(job, detected, base, today)
    else:
        checked, assembly = check_small(job, detected, base, today)
    write_bad_rows(Path(job.folder) / "bad.csv", assembly.log)
    return {**columns_report, **build_report(job, assembly, detected.mapping, checked)}


def check_small(
    job: ImportJob, detected: DetectedColumns, base: SalesBase | None, today: dt.date | None
) -> tuple[dict[str, str], Assembly]:
    """How the file was read, and its rows added to those of the dataset."""
    known = base.facts.date_range if base is not None else None
    checked, log = check_table(detected.long, detected.mapping, job.reading, today, known)
    if base is not None:
        checked = flag_new_codes(log, checked, base.facts)
    added_to = None if job.reading.replace else base
    if added_to is not None:
        log.left_out_sales |= added_to.left_out
    content, numbers = checked.content, checked.row_numbers
    plan = plan_pieces(log, content, added_to)
    newest = int(content.days[~np.isnan(content.sales)].max())
    assembly = Assembly(log, added_to, Path(job.folder), plan, newest)
    assembly.run(plan.split(content, numbers))
    return checked.file_format, assembly


def check_large(
    job: ImportJob, detected: DetectedColumns, base: SalesBase | None, today: dt.date | None
) -> tuple[dict[str, str], Assembly]:
    """The same of a file that is larger than memory."""
    added_to = None if job.reading.replace else base
    file = LargeFile(detected, job.reading, today, added_to)
    if added_to is not None:
        file.log.left_out_sales |= added_to.left_out
    while True:
        assembly = Assembly(file.log, added_to, Path(job.folder), file.plan, file.recent_end)
        try:
            assembly.run(file.split(), lambda one: check_all_rows(file, one))
        except RowsDiffer:
            continue
        return file.file_format, assembly


def describe_columns(raw: RawTable, detected: DetectedColumns) -> dict[str, Any]:
    """The file's columns with their meaning and some values, and how the file was read."""
    long, mapping = detected.long, detected.mapping
    ours = {theirs: name for name, theirs in mapping.items()}
    there = set(long.table.column_names)  # in a wide file, without the columns of days or products
    shown = [name for name in raw.table.column_names if name.strip() and name in there][:MAX_SHOWN_COLUMNS]
    roles = propose_roles(long, mapping)
    columns = [
        {
            "name": name,
            "is": ours.get(name, ""),
            "samples": sample_values(long, name),
            "role": roles.get(name, ""),
        }
        for name in shown
    ]
    return {
        "columns": columns,
        "mapping": mapping,
        "about": {"layout": "long", **long.file_format},
        "signature": hash_columns(shown),
        "rows_read": raw.row_count,
        "encodings": raw.encodings,
        "question_first": detected.question.field_name if detected.question else "",
    }


def sample_values(raw: RawTable, name: str) -> list[str]:
    """The first different values of a column, cut to fit a table cell."""
    values = (format_scalar(value) for value in raw.table[name][:SAMPLE_ROWS])
    return [value[:SAMPLE_LENGTH] for value in dict.fromkeys(values) if value.strip()][:SAMPLE_COUNT]


def hash_columns(names: list[str]) -> str:
    """A signature that files with the same columns share, whatever their order and spelling."""
    return hashlib.sha256("\0".join(sorted(normalize_name(name) for name in names)).encode()).hexdigest()[:32]


def flag_new_codes(log: FindingLog, checked: CheckedRows, base: SalesFacts) -> CheckedRows:
    """Flags stores and products that the dataset does not have yet; returns the rows that remain."""
    content, numbers = checked.content, checked.row_numbers
    for code, name in (("new-store", "stores"), ("new-product", "products")):
        texts: CategoricalColumn = getattr(content, name)
        there = set(getattr(base, name))
        new = [place for place, value in enumerate(texts.values) if value not in there]
        if not new:
            continue
        places = [find_example(log, checked, texts, place, code) for place in new[: log.MAX_BAD_ROWS]]
        if log.add_finding(code, places, len(new)) == "skip":
            is_known = ~np.isin(texts.codes, new)
            measure_content(log.findings[-1], "left-out", content, ~is_known)
            log.add_left_out(content, ~is_known)
            content, numbers = select_rows(content, is_known), numbers[is_known]
            if not content.row_count:
                raise SalesFileError(_("%(file)s has no usable rows.") % {"file": log.raw.name})
            checked = replace(checked, content=content, row_numbers=numbers)
    return checked


def find_example(
    log: FindingLog, checked: CheckedRows, texts: CategoricalColumn, code: int, finding: str
) -> Example:
    """The first row of the file with a new code."""
    column = "store_id" if finding == "new-store" else "product_id"
    row = int(checked.row_numbers[texts.codes == code].min())
    return Example(row, log.column_label(column), texts.values[code])


def build_report(
    job: ImportJob, assembly: Assembly, mapping: dict[str, str], about: dict[str, str]
) -> dict[str, Any]:
    """Writes the sales; returns what the check page shows of them, and what is saved with them."""
    facts, log = assembly.facts, assembly.log
    ours = {theirs: name for name, theirs in mapping.items()}
    given = {ours.get(name, name): role for name, role in job.reading.roles.items()}
    given = {name: role for name, role in given.items() if not (job.base and name not in facts.columns)}
    check_roles(job.name, given, sorted(facts.columns))
    roles, labels = assembly.write(Path(job.folder) / "canonical.parquet", given)
    content_hash = assembly.content_hash
    assembly.clear()
    first, last = (from_day_number(day).isoformat() for day in facts.date_range)
    before = assembly.base.items if assembly.base is not None and assembly.places is not None else ()
    items = build_catalog(facts, labels, roles, before)
    return {
        "hash": content_hash,
        "places": assembly.places,
        "rows": facts.row_count,
        "stores": facts.stores,
        "products": facts.products,
        "series": len(facts.series),
        "first": first,
        "last": last,
        "plan": facts.plan_rows,
        "roles": roles,
        "findings": [finding.as_json() for finding in log.findings],
        "about": about,
        "items": items,
        "summary": summarize_sales(facts, items) | read_sheet_count(about),
        "changes": asdict(assembly.changes) if assembly.changes else None,
    }


def read_sheet_count(about: dict[str, str]) -> dict[str, int]:
    """How many sheets the sales were read from, if there were several."""
    return {"sheets": int(about["sheets"])} if "sheets" in about else {}


def write_bad_rows(path: Path, log: FindingLog) -> None:
    """Every flagged row as CSV for a spreadsheet."""
    actions = {finding.code: finding.action for finding in log.findings}
    rows = [
        [place.row, code, place.column, place.value, actions.get(code, "")]
        for code, places in log.bad_places
        for place in places
    ]
    text = format_csv_rows([["row", "finding", "column", "value", "done"], *rows])
    path.write_text(text, encoding="utf-8-sig", newline="")
