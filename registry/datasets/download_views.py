"""Stores and products of a dataset with their figures, and the dataset as files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow.parquet as pq
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.datasets.importing.findings import ACTIONS, TITLES
from registry.datasets.models import Dataset, DatasetVersion
from registry.lib.csv_safe import cell, disarmed, written
from registry.lib.http import download
from registry.storage.artifacts import store

BATCH = 20_000


def current_of(pk: int) -> DatasetVersion:
    """What a download holds."""
    current = get_object_or_404(Dataset, pk=pk).current
    if current is None:
        raise Http404
    return current


@require_safe
def sales_parquet(request: HttpRequest, pk: int) -> FileResponse:
    """The current version's own file."""
    current = current_of(pk)
    return FileResponse(
        store().open(current.path, "rb"), as_attachment=True, filename=f"{filename(current)}.parquet"
    )


@require_safe
def sales_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All rows as CSV, a batch at a time: ten million rows need no more memory than twenty thousand."""
    current = current_of(pk)
    return download(lines(store().open(current.path, "rb")), f"{filename(current)}.csv")


@require_safe
def findings_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """What the check of the current version found, with its first examples."""
    current = current_of(pk)
    rows = [[_("Finding"), _("Count"), _("What was done"), _("Row"), _("Column"), _("Value")]]
    for finding in current.findings:
        title, action = _(TITLES.get(finding["code"], finding["code"])), finding["action"]
        done = _(ACTIONS[action]) if action in ACTIONS else action
        for example in finding["examples"]:
            place = [example["row"] or "", disarmed(example["column"]), disarmed(example["value"])]
            rows.append([title, finding["count"], done, *place])
    return download(iter([written(rows)]), f"{filename(current)}-findings.csv")


def filename(version: DatasetVersion) -> str:
    """Letters that every system allows, and the version.

    >>> filename(DatasetVersion(dataset=Dataset(name="Berlin / 2026"), number=2))
    'Berlin---2026-v2'
    """
    name = "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in version.dataset.name
    )
    return f"{name.strip('-') or 'sales'}-v{version.number}"


def lines(stream: IO[bytes]) -> Iterator[str]:
    """The canonical file as CSV text; a code that a spreadsheet would run as a formula is disarmed."""
    with stream:
        file = pq.ParquetFile(stream)
        yield written([[disarmed(name) for name in file.schema_arrow.names]])
        for batch in file.iter_batches(BATCH, use_threads=False):
            columns = [[cell(value) for value in column.to_pylist()] for column in batch.columns]
            yield written(zip(*columns, strict=True))
