"""Django app training."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingAppConfig(AppConfig):
    name = "training"
    verbose_name = _("Data and models")

    def ready(self) -> None:
        from registry.datasets.models import DatasetVersion
        from training.removal_checks import find_active_training

        DatasetVersion.removal_checks.append(find_active_training)
