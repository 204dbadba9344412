"""Stores and products of a dataset with their figures, and the dataset as files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow.parquet as pq
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.datasets.importing.findings import ACTION_LABELS, FINDING_TITLES
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.csv_safe import escape_formula_text, format_cell, format_csv_rows
from registry.lib.http import stream_csv
from registry.storage.artifacts import get_artifact_store

BATCH_ROWS = 20_000


def get_current_or_404(pk: int) -> DatasetVersion:
    """What a download holds."""
    current = get_object_or_404(Dataset, pk=pk).current_version
    if current is None:
        raise Http404
    return current


@require_safe
def sales_parquet(request: HttpRequest, pk: int) -> FileResponse:
    """The current version's own file."""
    current = get_current_or_404(pk)
    return FileResponse(
        get_artifact_store().open(current.path, "rb"),
        as_attachment=True,
        filename=f"{build_filename(current)}.parquet",
    )


@require_safe
def sales_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All rows as CSV, a batch at a time: ten million rows need no more memory than twenty thousand."""
    current = get_current_or_404(pk)
    return stream_csv(
        stream_csv_lines(get_artifact_store().open(current.path, "rb")), f"{build_filename(current)}.csv"
    )


@require_safe
def findings_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """What the check of the current version found, with its first examples."""
    current = get_current_or_404(pk)
    rows = [[_("Finding"), _("Count"), _("What was done"), _("Row"), _("Column"), _("Value")]]
    for finding in current.findings:
        title, action = _(FINDING_TITLES.get(finding["code"], finding["code"])), finding["action"]
        done = _(ACTION_LABELS[action]) if action in ACTION_LABELS else action
        for example in finding["examples"]:
            place = [
                example["row"] or "",
                escape_formula_text(example["column"]),
                escape_formula_text(example["value"]),
            ]
            rows.append([title, finding["count"], done, *place])
    return stream_csv(iter([format_csv_rows(rows)]), f"{build_filename(current)}-findings.csv")


def build_filename(version: DatasetVersion) -> str:
    """Letters that every system allows, and the version.

    >>> build_filename(DatasetVersion(dataset=Dataset(name="Berlin / 2026"), number=2))
    'Berlin---2026-v2'
    """
    name = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in version.dataset.name
    )
    return f"{name.strip('-') or 'sales'}-v{version.number}"


def stream_csv_lines(stream: IO[bytes]) -> Iterator[str]:
    """The canonical file as CSV text; a code that a spreadsheet would run as a formula is disarmed."""
    with stream:
        file = pq.ParquetFile(stream)
        yield format_csv_rows([[escape_formula_text(name) for name in file.schema_arrow.names]])
        for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
            columns = [[format_cell(value) for value in column.to_pylist()] for column in batch.columns]
            yield format_csv_rows(zip(*columns, strict=True))
