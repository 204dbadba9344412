"""The version in use of a dataset."""

from __future__ import annotations

from registry.datasets.models import Dataset
from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion

EVERYTHING = Scope()


def version_in_use(dataset: Dataset, scope: Scope = EVERYTHING) -> ModelVersion | None:
    """The ready version in use for the scope, usually all products and stores of the dataset."""
    wanted = {"model__dataset": dataset, "model__kind": scope.kind, "model__code": scope.code}
    versions = ModelVersion.objects.in_use().filter(**wanted)
    return versions.select_related("model__dataset", "dataset_version").first()
