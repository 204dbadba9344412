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

from registry.datasets.importing.canonical import Canonical
from registry.datasets.importing.catalog_figures import items
from registry.datasets.importing.column_mapping import lengthened, match
from registry.datasets.importing.covariate_roles import check_roles
from registry.datasets.importing.errors import Question, SalesError
from registry.datasets.importing.finding_log import Check, cell
from registry.datasets.importing.findings import Example
from registry.datasets.importing.headers import bare
from registry.datasets.importing.merge import load, merge
from registry.datasets.importing.options import Job
from registry.datasets.importing.raw_table import Raw
from registry.datasets.importing.readers import read, unreadable
from registry.datasets.importing.row_checks import Checked, canonical
from registry.datasets.importing.series_checks import History, kept
from registry.datasets.importing.values import Texts
from registry.lib.csv_safe import disarmed

SAMPLES = 4


def perform(job: Job) -> dict[str, Any]:
    """The report; the canonical content and the bad rows lie in the job's folder."""
    if job.only == "items":
        return {"items": items(load(Path(job.path)), job.reading.roles)}
    try:
        return walked(job, read(Path(job.path), job.name))
    except (
        pa.ArrowInvalid,
        pa.ArrowNotImplementedError,
    ) as problem:  # content that is not what its type says
        raise SalesError(unreadable(job.name, problem)) from None


def walked(job: Job, raw: Raw) -> dict[str, Any]:
    """What follows the reading."""
    look = looked(raw, job)
    if job.only == "look":
        return look
    today = dt.date.fromisoformat(job.today) if job.today else None
    checked, check = canonical(raw, job.reading, today)
    base = load(Path(job.base)) if job.base else None
    if base is not None:
        checked = known(check, checked, base)
    content, numbers, changes = checked.content, checked.numbers, None
    if base is not None and not job.reading.replace:
        content, numbers, changes = merge(base, content, numbers)
    content, numbers = History(check, content, numbers).checked()
    write_bad(Path(job.folder) / "bad.csv", check)
    with ThreadPoolExecutor(1) as helper:  # Arrow and the hash let each other work
        written = helper.submit(content.write, Path(job.folder) / "canonical.parquet")
        told = report(job, checked, check, content)
        written.result()
    return {**look, **told, "changes": asdict(changes) if changes else None}


def looked(raw: Raw, job: Job) -> dict[str, Any]:
    """Columns with a few of their values, what each is taken for, and how the file was read."""
    names = raw.table.column_names
    mapping = match(names, {ours: name for ours, name in job.reading.mapping.items() if name in names})
    question: Question | None = None
    long = raw
    try:
        long, mapping = lengthened(raw, mapping)
    except Question as asked:
        question = asked
    ours = {theirs: name for name, theirs in mapping.items()}
    there = set(long.table.column_names)  # in a wide file, without the columns of days or products
    shown = [name for name in names if name.strip() and name in there][:200]
    columns = [{"name": name, "is": ours.get(name, ""), "samples": samples(long, name)} for name in shown]
    return {
        "columns": columns,
        "mapping": mapping,
        "about": {"layout": "long", **long.about},
        "signature": signature(shown),
        "rows_read": raw.table.num_rows,
        "question_first": question.about if question else "",
    }


def samples(raw: Raw, name: str) -> list[str]:
    """The first values, cut to what fits a table cell."""
    values = (cell(value) for value in raw.table[name][:50])
    return [value[:40] for value in dict.fromkeys(values) if value.strip()][:SAMPLES]


def signature(names: list[str]) -> str:
    """One word for files of the same columns, in whatever order and spelling."""
    return hashlib.sha256("\0".join(sorted(bare(name) for name in names)).encode()).hexdigest()[:32]


def known(check: Check, checked: Checked, base: Canonical) -> Checked:
    """Findings about stores and products that the dataset does not have yet."""
    content, numbers = checked.content, checked.numbers
    for code, name in (("new-store", "stores"), ("new-product", "products")):
        texts: Texts = getattr(content, name)
        there = set(getattr(base, name).values)
        fresh = [place for place, value in enumerate(texts.values) if value not in there]
        if not fresh:
            continue
        places = [place_of(check, checked, texts, place, code) for place in fresh[: check.MOST_BAD]]
        if check.note(code, places, len(fresh)) == "skip":
            use = ~np.isin(texts.codes, fresh)
            content, numbers = kept(content, use), numbers[use]
            if not content.rows:
                raise SalesError(_("%(file)s has no usable row.") % {"file": check.raw.name})
            checked = replace(checked, content=content, numbers=numbers)
    return checked


def place_of(check: Check, checked: Checked, texts: Texts, code: int, finding: str) -> Example:
    """The first row of the file with that code."""
    column = "store_id" if finding == "new-store" else "product_id"
    row = int(checked.numbers[texts.codes == code].min())
    return Example(row, check.label(column), texts.values[code])


def report(job: Job, checked: Checked, check: Check, content: Canonical) -> dict[str, Any]:
    """What there is to say about the content that would be saved."""
    ours = {theirs: name for name, theirs in checked.mapping.items()}
    given = {ours.get(name, name): role for name, role in job.reading.roles.items()}
    given = {name: role for name, role in given.items() if not (job.base and name not in content.extras)}
    check_roles(job.name, given, list(content.extras))
    roles = content.roles(given)
    first, last = content.span
    return {
        "hash": content.content_hash,
        "rows": content.rows,
        "stores": content.stores.values,
        "products": content.products.values,
        "series": len(content.series),
        "first": first.isoformat(),
        "last": last.isoformat(),
        "plan": int((content.days > (last - dt.date(1970, 1, 1)).days).sum()),
        "roles": roles,
        "findings": [finding.as_json() for finding in check.findings],
        "about": checked.about,
        "mapping": checked.mapping,
        "items": items(content, roles),
    }


def write_bad(path: Path, check: Check) -> None:
    """Every doubtful row for a spreadsheet; a text that a spreadsheet would run as a formula is disarmed."""
    done = {finding.code: finding.action for finding in check.findings}
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "finding", "column", "value", "done"])
        for code, places in check.bad:
            for place in places:
                writer.writerow(
                    [place.row, code, disarmed(place.column), disarmed(place.value), done.get(code, "")]
                )
