"""When the server's own forecast is made and runs are compared: another version, or newer sales.

The job is queued in the transaction of the change, so that neither is there without the other.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from prediction.accuracy.joining import request_comparison
from prediction.current_forecast import request_current_forecast
from prediction.explanations.models import InputEffects
from prediction.runs.models import ForecastRun
from registry.datasets.models import DatasetVersion
from registry.model_versions.changes import VersionChange
from registry.model_versions.in_use import version_in_use


def connect() -> None:
    """Listens to changes of the version in use and to saved sales."""
    post_save.connect(follow_version_change, sender=VersionChange, dispatch_uid="current_forecast")
    post_save.connect(follow_saved_sales, sender=DatasetVersion, dispatch_uid="current_forecast")


def follow_version_change(instance: VersionChange, created: bool, raw: bool = False, **given: Any) -> None:
    """Signal handler: a version was trained or put in use; perhaps another one covers everything now."""
    if created and not raw and instance.version is not None:
        InputEffects.find(instance.version)
    is_activation = created and not raw and instance.kind != VersionChange.Kind.REJECTED
    if is_activation and instance.model.kind == "global":
        request_current_forecast(instance.model.dataset_id)


def follow_saved_sales(instance: DatasetVersion, raw: bool = False, **given: Any) -> None:
    """Signal handler: the dataset has other sales now."""
    if raw or instance.state != DatasetVersion.State.READY:
        return
    if version_in_use(instance.dataset):
        request_current_forecast(instance.dataset_id)
    if ForecastRun.objects.done().filter(dataset_version__dataset=instance.dataset_id).exists():
        request_comparison(instance.dataset_id)
