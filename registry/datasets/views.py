"""Pages of datasets: list, details, stores and products."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from registry.datasets.actuals import current_versions
from registry.datasets.catalog import Item
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.tables import dataset_table, item_table
from registry.lib.export import EXPORT_FORMATS, export_table
from registry.lib.request_values import read_text
from registry.storage.artifacts import Artifact

SORT_FIELDS = {"total": "-total", "code": "code", "last": "last", "zeros": "-zeros"}
PAGE_SIZE = 50


@require_safe
def item_list(request: HttpRequest, pk: int) -> HttpResponse:
    """Stores or products, searched and sorted by the query string; also as CSV and Excel."""
    dataset = get_object_or_404(Dataset, pk=pk)
    kind = "store" if request.GET.get("kind") == "store" else "product"
    order = request.GET.get("order", "total")
    words = read_text(request.GET, "q")
    items = Item.objects.filter(dataset=dataset, kind=kind).search(words)
    items = items.order_by(SORT_FIELDS.get(order, "-total"), "code")
    if (export := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table(f"{kind}s", export, item_table(items))
    page = Paginator(items, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"dataset": dataset, "kind": kind, "order": order, "q": words, "page": page}
    part = request.headers.get("HX-Target") == "items"
    return render(request, "datasets/catalogue.html#items" if part else "datasets/catalogue.html", context)


@require_safe
def dataset_list(request: HttpRequest) -> HttpResponse:
    """The datasets with their current versions; also as CSV and Excel."""
    query = read_text(request.GET, "q")
    datasets = Dataset.objects.filter(name__icontains=query)
    current = current_versions().filter(dataset__in=datasets).defer("findings", "roles")
    rows = pair_with_versions(datasets, current)
    if (kind := request.GET.get("export")) in EXPORT_FORMATS:
        return export_table("datasets", kind, dataset_table(rows))
    return render(request, "datasets/list.html", {"rows": rows, "q": query})


def pair_with_versions(
    datasets: Iterable[Dataset], current: Iterable[DatasetVersion]
) -> list[tuple[Dataset, DatasetVersion | None]]:
    """Each dataset with its current version."""
    by_dataset = {version.dataset_id: version for version in current}
    return [(dataset, by_dataset.get(dataset.pk)) for dataset in datasets]


@require_safe
def dataset_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One dataset: period, stores, products, column roles, findings, versions and models."""
    dataset = get_object_or_404(Dataset, pk=pk)
    versions = (
        dataset.versions.filter(state=Artifact.State.READY).select_related("created_by").order_by("-number")
    )
    models = dataset.models.filter(best__isnull=False).select_related("best")
    current = dataset.current_version
    findings = [(finding, None) for finding in current.findings] if current else []
    context = {"dataset": dataset, "current": current, "versions": versions, "models": models}
    return render(request, "datasets/detail.html", {**context, "findings": findings})
