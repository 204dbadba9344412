"""Stores and products of a dataset with their figures, and the dataset as files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import IO, Any

import pyarrow.parquet as pq
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from registry.artifacts import store
from registry.export import KINDS, exported
from registry.importing.pipeline import disarmed
from registry.importing.problems import ACTIONS, TITLES
from registry.models import Dataset, DatasetVersion, Item
from registry.sidebyside import picked
from registry.suggest import MOST, codes_of, found, known_to
from registry.tables import item_table

ORDERS = {"total": "-total", "code": "code", "last": "last", "zeros": "-zeros"}
PAGE = 50
BATCH = 20_000


@require_safe
def catalogue(request: HttpRequest, pk: int) -> HttpResponse:
    """Stores or products, searched and sorted; the address holds what is shown; also as CSV and Excel."""
    dataset = get_object_or_404(Dataset, pk=pk)
    kind = "store" if request.GET.get("kind") == "store" else "product"
    order = request.GET.get("order", "total")
    words = request.GET.get("q", "").strip()[:100]
    found = Item.objects.filter(dataset=dataset, kind=kind).search(words)
    found = found.order_by(ORDERS.get(order, "-total"), "code")
    if (wanted := request.GET.get("export")) in KINDS:
        return exported(f"{kind}s", wanted, item_table(found))
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {"dataset": dataset, "kind": kind, "order": order, "q": words, "page": page}
    part = request.headers.get("HX-Target") == "items"
    return render(request, "data/_items.html" if part else "data/catalogue.html", context)


@require_safe
def suggest(request: HttpRequest, kind: str) -> HttpResponse:
    """Stores or products for what stands in a form's field, of its dataset or of what its model knows."""
    if kind not in ("store", "product"):
        raise Http404
    version, known = source_of(request.GET, kind)
    words = request.GET.get(kind, "").replace("\0", " ").strip()[:100]
    items = found(version, kind, words, set(known)) if version else []
    context = {"kind": kind, "items": items[:MOST], "more": len(items) > MOST}
    return render(request, "_suggestions.html", context)


def source_of(given: QueryDict, kind: str) -> tuple[DatasetVersion | None, list[str]]:
    """Whose stores and products are meant, and which of them may be chosen."""
    if models := picked([given.get("version", "")]):
        return models[0].dataset_version, known_to(models[0], kind)
    number = given.get("dataset", "")
    dataset = Dataset.objects.filter(pk=number).first() if number.isdecimal() else None
    version = dataset.current if dataset else None
    return version, codes_of(version, kind) if version else []


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


def download(content: Iterator[str], name: str) -> StreamingHttpResponse:
    """A file of text that spreadsheets open with its letters whole."""
    response = StreamingHttpResponse(marked(content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def marked(content: Iterator[str]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    for text in content:
        yield text.encode()


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


def cell(value: Any) -> Any:
    return "" if value is None else disarmed(value) if isinstance(value, str) else value


class Echo:
    """Gives back what a csv writer writes."""

    def write(self, text: str) -> str:
        return text


def written(rows: Any) -> str:
    writer = csv.writer(Echo())
    return "".join(str(writer.writerow(row)) for row in rows)
