"""Imports every model of the app, so that Django finds them."""

from __future__ import annotations

from registry.access.audit import AuditEntry
from registry.datasets.catalog import Item
from registry.datasets.models import Dataset, DatasetVersion
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.stock.models import StockSnapshot, Terms
from registry.datasets.store.models import SalesPart
from registry.datasets.upload_jobs.models import UploadJob
from registry.datasets.uploads import Upload
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.tombstones import Tombstone

__all__ = [
    "AuditEntry",
    "Dataset",
    "DatasetVersion",
    "ForecastModel",
    "Item",
    "ModelVersion",
    "SalesPart",
    "Source",
    "SourceFile",
    "StockSnapshot",
    "Terms",
    "Tombstone",
    "Upload",
    "UploadJob",
    "VersionChange",
]
