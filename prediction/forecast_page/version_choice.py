"""Which model version answers a question about a product, a store, or all of them."""

from __future__ import annotations

from django.db.models import Q

from registry.datasets.models import Dataset
from registry.model_versions.models import ModelVersion, ModelVersionQuerySet, known_codes


def covering_scopes(store: str, product: str) -> Q:
    """Models that can forecast this store and product; both empty means everything."""
    scopes = Q(model__kind="global")
    if store:
        scopes |= Q(model__kind="store", model__code=store)
    if product:
        scopes |= Q(model__kind="product", model__code=product)
    return scopes


def ready_versions(dataset: Dataset) -> ModelVersionQuerySet:
    """The versions of a dataset that can forecast, with what their titles need."""
    found: ModelVersionQuerySet = ModelVersion.objects.ready().filter(model__dataset=dataset)
    return found.select_related("model__dataset")


def find_version(dataset: Dataset, store: str, product: str) -> ModelVersion | None:
    """The version in use that learned this store and product: that of everything before narrower ones.

    As long as no version is in use, the most accurate one that learned them.
    """
    covering = ready_versions(dataset).filter(covering_scopes(store, product))
    used = list(covering.in_use())
    candidates = used or covering.best_first()
    return next((one for one in candidates if has_learned(join_dataset(one, dataset), store, product)), None)


def join_dataset(version: ModelVersion, dataset: Dataset) -> ModelVersion:
    """The version with this dataset and, if it learned them, its newest sales: so that both are read once."""
    version.model.dataset = dataset
    sales = dataset.current_version
    if sales is not None and version.dataset_version_id == sales.pk:
        version.dataset_version = sales
    return version


def has_learned(version: ModelVersion, store: str, product: str) -> bool:
    """Whether the store and the product were in the sales that the version learned from."""
    wanted = {"store": store, "product": product}
    return all(not code or code in known_codes(version, kind) for kind, code in wanted.items())


def narrower_versions(dataset: Dataset) -> list[ModelVersion]:
    """Versions in use of single stores or products, for a dataset without one of everything."""
    used = ready_versions(dataset).in_use().exclude(model__kind="global")
    return list(used.order_by("model__kind", "model__code")[:3])
