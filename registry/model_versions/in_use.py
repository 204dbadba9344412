"""The version in use of a dataset."""

from __future__ import annotations

from registry.datasets.models import Dataset
from registry.model_versions.models import ModelVersion


def version_in_use(dataset: Dataset) -> ModelVersion | None:
    """The ready version in use for all products and stores of the dataset."""
    versions = ModelVersion.objects.in_use().filter(model__dataset=dataset, model__kind="global")
    return versions.select_related("model__dataset", "dataset_version").first()
