"""Datasets: read, import, change, restore, delete; their sales and catalog."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from django.db import transaction
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from ninja import Query, Status

from forecastsite.api.access import KeyRequest, needs, router
from forecastsite.api.errors import require_valid
from forecastsite.api.paging import Page, Paging, page_newest, page_offset
from forecastsite.api.schemas import DatasetIn, DatasetOut, DatasetVersionOut, ItemOut, Text
from forecastsite.api.shapes import show_dataset, show_dataset_version, show_item
from forecastsite.api.tables import CSV, PARQUET, answer_table, choose_format
from registry.datasets.actuals import current_versions
from registry.datasets.catalog import Item
from registry.datasets.deletion import delete_dataset
from registry.datasets.download_views import sales_csv, sales_parquet
from registry.datasets.importer import restore_version
from registry.datasets.manage_views import RenameForm, pause_dataset
from registry.datasets.models import Dataset, DatasetVersion
from registry.storage.artifacts import Artifact

READ, WRITE = "data:read", "data:write"
CHANGE, DELETE_MODELS = "registry.change_dataset", "registry.delete_modelversion"


@router.get("/datasets", response=Page[DatasetOut], **needs(READ, stores="filtered"))
def list_datasets(request: KeyRequest, paging: Query[Paging], name: Text = "") -> Any:
    """All datasets, newest first; `name` finds one."""
    rows = Dataset.objects.filter(name=name) if name else Dataset.objects.all()
    page = page_newest(rows, paging, lambda dataset: dataset)
    wanted = current_versions().filter(dataset__in=[dataset.pk for dataset in page["items"]])
    current = {version.dataset_id: version for version in wanted}
    for dataset in page["items"]:
        dataset.current_version = current.get(dataset.pk)
    return page | {"items": [show_dataset(dataset) for dataset in page["items"]]}


@router.get("/datasets/{id:dataset}", response=DatasetOut, **needs(READ, stores="filtered"))
def get_dataset(request: KeyRequest, dataset: int) -> Any:
    """One dataset with its current version."""
    return show_dataset(get_object_or_404(Dataset, pk=dataset))


@router.patch("/datasets/{id:dataset}", response=DatasetOut, **needs(WRITE, CHANGE))
def change_dataset(request: KeyRequest, dataset: int, body: DatasetIn) -> Any:
    """Renames a dataset, or pauses what needs attention in it."""
    found = get_object_or_404(Dataset, pk=dataset)
    with transaction.atomic():
        if body.name is not None:
            form = RenameForm(found, {"name": body.name})
            require_valid(form)
            form.save_name(request.user)
        if body.paused is not None:
            pause_dataset(found, body.paused, request.user)
    return show_dataset(found)


@router.delete("/datasets/{id:dataset}", response={204: None}, **needs(WRITE, CHANGE))
def remove_dataset(request: KeyRequest, dataset: int) -> Any:
    """Deletes a dataset with everything made from it."""
    from registry.access.permissions import require

    require(request.user.has_perm(DELETE_MODELS), DELETE_MODELS)
    delete_dataset(get_object_or_404(Dataset, pk=dataset), request.user)
    return Status(204, None)


@router.get("/datasets/{id:dataset}/versions", response=Page[DatasetVersionOut], **needs(READ))
def list_dataset_versions(request: KeyRequest, dataset: int, paging: Query[Paging]) -> Any:
    """The versions of its sales, newest first."""
    found = get_object_or_404(Dataset, pk=dataset)
    return page_newest(found.versions.filter(state=Artifact.State.READY), paging, show_dataset_version)


@router.post(
    "/dataset-versions/{uuid:version}/restore",
    response=DatasetVersionOut,
    **needs(WRITE, "registry.add_datasetversion"),
)
def restore_dataset_version(request: KeyRequest, version: UUID) -> Any:
    """Makes an earlier version current again, as a new one."""
    earlier = get_object_or_404(DatasetVersion, pk=version, state=Artifact.State.READY)
    return show_dataset_version(restore_version(earlier, request.user))


@router.get("/datasets/{id:dataset}/sales", **needs(READ))
def download_sales(request: KeyRequest, dataset: int) -> HttpResponseBase:
    """All sales of the current version as CSV or parquet."""
    kind = choose_format(request, CSV, PARQUET)
    return (sales_csv if kind == CSV else sales_parquet)(request, dataset)


@router.get("/datasets/{id:dataset}/items", response=Page[ItemOut], **needs(READ, stores="filtered"))
def list_items(
    request: KeyRequest, dataset: int, paging: Query[Paging], kind: Literal["store", "product"] = "product"
) -> Any:
    """Stores or products with their figures, by code; a key for some stores sees only those stores."""
    owner = get_object_or_404(Dataset, pk=dataset)
    items = Item.objects.filter(dataset=owner, kind=kind).order_by("code")
    if request.api_key and request.api_key.stores:
        items = items.filter(kind="store", code__in=request.api_key.stores)

    def show_page() -> dict[str, Any]:
        places, following = page_offset(items.count(), paging)
        found = items[places.start : places.stop]
        return {"items": [show_item(item) for item in found], "next": following}

    return answer_table(request, f"{kind}s", lambda: map(show_item, items), show_page)
