"""Fixtures of the prediction's tests: sales of a small chain and a version learned from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings

from registry.datasets.importer import import_file
from registry.datasets.reader import read_panel
from registry.datasets.sample.generator import SampleDataset
from registry.datasets.scope import Scope
from registry.model_versions.models import ModelVersion
from training.learning.pipeline import TrainingConfig, TrainingPipeline, TrainingResult

Publish = Callable[..., ModelVersion]
LEVELS = ["q0.025", "q0.1", "q0.25", "q0.5", "q0.75", "q0.9", "q0.975"]


@pytest.fixture(autouse=True)
def artifact_folder(tmp_path: Path, settings: LazySettings) -> Path:
    """Artifacts of a test never touch the data folder."""
    folder = tmp_path / "artifacts"
    backend = {"BACKEND": "registry.lib.durable_storage.DurableStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "artifacts": backend}
    return folder


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three stores, four products, two years and a bit."""
    path = tmp_path_factory.mktemp("chain") / "chain.parquet"
    SampleDataset(stores=3, products=4, days=800).write_parquet(path)
    return path


LEARNED: dict[Scope, TrainingResult] = {}


@pytest.fixture
def publish(db: None, chain: Path) -> Publish:
    """Publishes a version of a scope as a training does; each scope is learned once for all tests."""

    def publisher(scope: Scope | None = None, horizon: int = 28) -> ModelVersion:
        scope = scope or Scope()
        data = import_file(chain, "chain")
        if scope not in LEARNED:
            learning = TrainingPipeline(
                read_panel(data, scope), TrainingConfig("seasonal_naive", horizon=horizon, budget=5)
            )
            list(learning)
            LEARNED[scope] = learning.result
        learned = LEARNED[scope]
        metrics = {**learned.metrics, "bias": 0.0, "seasonal_naive": {"wape": 0.6}}
        version = ModelVersion.objects.create_pending(
            data, scope, algorithm="seasonal_naive", horizon=horizon, metrics=metrics, wape=0.3
        )
        version.write(learned.bundle.to_bytes())
        version.publish()
        return ModelVersion.objects.get(pk=version.pk)

    return publisher
