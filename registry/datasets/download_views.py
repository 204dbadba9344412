"""Downloads of a dataset: its sales as parquet and CSV, and the findings of its check."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.datasets.importer import import_folder
from registry.datasets.importing.findings import ACTION_LABELS, FINDING_TITLES
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.store.reading import iter_buckets, write_whole
from registry.lib.csv_safe import format_csv_rows
from registry.lib.downloads import costly_download
from registry.lib.http import download_response, stream_csv

BATCH_ROWS = 20_000  # of CSV sent at a time


def get_current_or_404(pk: int) -> DatasetVersion:
    """The dataset's current version; 404 when it has none."""
    current = get_object_or_404(Dataset, pk=pk).current_version
    if current is None:
        raise Http404
    return current


@require_safe
@costly_download
def sales_parquet(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The current version as one parquet file, in order of store, product and day within each bucket."""
    current = get_current_or_404(pk)
    with import_folder() as folder:
        write_whole(current, folder / "sales.parquet")
        stream = (folder / "sales.parquet").open("rb")  # stays readable after the folder is gone
    return download_response(stream, f"{build_filename(current)}.parquet")


@require_safe
@costly_download
def sales_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """All rows as CSV, streamed in batches: a hundred million rows need no more memory than one bucket."""
    current = get_current_or_404(pk)
    return stream_csv(stream_csv_lines(iter_buckets(current)), f"{build_filename(current)}.csv")


@require_safe
def findings_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The findings of the current version with their first examples."""
    current = get_current_or_404(pk)
    rows = [[_("Finding"), _("Count"), _("What was done"), _("Row"), _("Column"), _("Value")]]
    for finding in current.findings:
        title, action = _(FINDING_TITLES.get(finding["code"], finding["code"])), finding["action"]
        done = _(ACTION_LABELS[action]) if action in ACTION_LABELS else action
        for example in finding["examples"]:
            place = [example["row"] or "", example["column"], example["value"]]
            rows.append([title, finding["count"], done, *place])
    return stream_csv([format_csv_rows(rows)], f"{build_filename(current)}-findings.csv")


def build_filename(version: DatasetVersion) -> str:
    """Name and version of the dataset, without suffix; a name without Latin letters becomes "sales".

    >>> build_filename(DatasetVersion(dataset=Dataset(name="Berlin / 2026"), number=2))
    'Berlin / 2026-v2'
    >>> build_filename(DatasetVersion(dataset=Dataset(name="药店"), number=2))
    'sales-v2'
    """
    name = version.dataset.name
    return f"{name if re.search('[A-Za-z0-9]', name) else 'sales'}-v{version.number}"


def stream_csv_lines(tables: Iterator[pa.Table]) -> Iterator[str]:
    """The rows of the tables as CSV text, a batch at a time."""
    for place, table in enumerate(tables):
        if place == 0:
            yield format_csv_rows([table.column_names])
        for batch in table.to_batches(BATCH_ROWS):
            yield format_batch(batch)


def format_batch(batch: pa.RecordBatch) -> str:
    """The rows of a batch as CSV text: Python formats each distinct value once, Arrow joins them to lines."""
    columns = []
    for column in batch.columns:
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode("encode")
        values = encoded.dictionary.to_pylist()
        words = [format_csv_rows([[value, ""]]).removesuffix(",\r\n") for value in values]
        columns.append(pa.array(words, pa.string()).take(encoded.indices).fill_null(""))
    lines = pc.binary_join_element_wise(*columns, ",")
    offsets = pa.array([0, len(lines)], pa.int32())
    text: str = pc.binary_join(pa.ListArray.from_arrays(offsets, lines), "\r\n")[0].as_py()
    return f"{text}\r\n" if len(lines) else ""
