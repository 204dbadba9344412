"""Which model version answers a question about a product, a store, or all of them."""

from __future__ import annotations

from django.db.models import Q

from registry.datasets.levels import read_levels
from registry.datasets.models import Dataset
from registry.model_versions.models import ModelVersion, ModelVersionQuerySet, known_codes
from registry.series.levels import Selection


def covering_scopes(selection: Selection) -> Q:
    """Models that can forecast these series; an empty selection means everything."""
    scopes = Q(model__kind="global")
    if selection.store:
        scopes |= Q(model__kind="store", model__code=selection.store)
    if selection.product:
        scopes |= Q(model__kind="product", model__code=selection.product)
    return scopes


def ready_versions(dataset: Dataset) -> ModelVersionQuerySet:
    """The versions of a dataset that can forecast, with what their titles need."""
    found: ModelVersionQuerySet = ModelVersion.objects.ready().filter(model__dataset=dataset)
    return found.select_related("model__dataset")


def find_version(dataset: Dataset, selection: Selection) -> ModelVersion | None:
    """The version in use that learned these series: that of everything before narrower ones.

    As long as no version is in use, the most accurate one that learned them.
    """
    covering = ready_versions(dataset).filter(covering_scopes(selection))
    used = list(covering.in_use())
    candidates = used or covering.best_first()
    known = (one for one in candidates if has_learned(join_dataset(one, dataset), selection))
    return next(known, None) or next((one for one in candidates if may_introduce(one, selection)), None)


def join_dataset(version: ModelVersion, dataset: Dataset) -> ModelVersion:
    """The version with this dataset and, if it learned them, its newest sales: so that both are read once."""
    version.model.dataset = dataset
    sales = dataset.current_version
    if sales is not None and version.dataset_version_id == sales.pk:
        version.dataset_version = sales
    return version


def has_learned(version: ModelVersion, selection: Selection) -> bool:
    """Whether the store, the product and some of each group were in the sales that it learned from."""
    sales = version.model.dataset.current_version
    levels = read_levels(sales) if selection.levels and sales else ()
    sides = zip(("store", "product"), selection.list_codes(levels), strict=True)
    return all(codes is None or not codes.isdisjoint(known_codes(version, kind)) for kind, codes in sides)


def may_introduce(version: ModelVersion, selection: Selection) -> bool:
    """Whether both are in the newest sales, plan or catalogue, and a version of everything can judge them."""
    newest = version.model.dataset.current_version
    if newest is None or version.model.kind != "global" or selection.levels:
        return False
    store, product = selection.store, selection.product
    return (not store or store in newest.stores) and (not product or product in newest.products)


def narrower_versions(dataset: Dataset) -> list[ModelVersion]:
    """Versions in use of single stores or products, for a dataset without one of everything."""
    used = ready_versions(dataset).in_use().exclude(model__kind="global")
    return list(used.order_by("model__kind", "model__code")[:3])
