"""Why trainings keep other rows from being deleted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from registry.datasets.models import DatasetVersion
from training.models import TrainingRun


def find_active_training(version: DatasetVersion) -> str:
    """One sentence when a waiting or running training uses the version, else an empty string."""
    active = TrainingRun.objects.filter(dataset_version=version).exclude(state__in=TrainingRun.ENDED_STATES)
    return _("A training is using it: wait until it ends, or stop it.") if active.exists() else ""
