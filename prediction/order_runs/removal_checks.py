"""Orders keep what they were made from: one sentence on why a model or sales must stay."""

from __future__ import annotations

from django.utils.translation import gettext as _

from registry.datasets.models import DatasetVersion
from registry.model_versions.models import ModelVersion


def connect() -> None:
    """Lets models and sales ask before they are deleted."""
    DatasetVersion.removal_checks.append(find_orders_of_sales)
    ModelVersion.removal_checks.append(find_orders_of_version)


def find_orders_of_version(version: ModelVersion) -> str:
    """Why a model version must stay, or an empty string."""
    from prediction.order_runs.models import OrderRun

    if not OrderRun.objects.filter(forecast_run__version=version).exists():
        return ""
    return _("Orders were made from forecasts of %(name)s: delete these orders first.") % {
        "name": version.title
    }


def find_orders_of_sales(data: DatasetVersion) -> str:
    """Why a version of sales must stay, or an empty string."""
    from prediction.order_runs.models import OrderRun

    if not OrderRun.objects.filter(forecast_run__dataset_version=data).exists():
        return ""
    return _("Orders were made from forecasts on these sales: delete these orders first.")
