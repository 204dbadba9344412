"""Why a version is in use, and choices by hand that a training has replaced since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from registry.datasets.models import Dataset
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ForecastModel, ModelVersion

TOLD_DAYS = timedelta(days=14)  # for which a replaced choice needs attention


@dataclass(frozen=True)
class ReplacedChoice:
    """A version that somebody put in use, with the reason, and the change by which a training replaced it."""

    choice: VersionChange
    change: VersionChange


def find_activation(version: ModelVersion) -> VersionChange | None:
    """The change that put the version in use last; None if it never was."""
    return list_activations(version.model).filter(version=version).first()


def list_activations(model: ForecastModel) -> QuerySet[VersionChange]:
    """The changes that put a version of the model in use, newest first."""
    changes = model.changes.exclude(kind=VersionChange.Kind.REJECTED)
    return changes.select_related("version", "previous", "by")


def list_replaced_choices(dataset: Dataset) -> Iterator[ReplacedChoice]:
    """Choices by hand that a training replaced lately and nobody has decided about since."""
    changes = VersionChange.objects.exclude(kind=VersionChange.Kind.REJECTED)
    since = timezone.now() - TOLD_DAYS
    recent = changes.filter(model__dataset=dataset, model__best__isnull=False, at__gt=since)
    newest: dict[int, VersionChange] = {}
    for change in recent.select_related("model", "version", "previous", "by"):
        newest.setdefault(change.model_id, change)
    for change in newest.values():
        if change.kind != VersionChange.Kind.PUBLISHED or change.previous is None:
            continue
        choice = list_activations(change.model).filter(version=change.previous, pk__lt=change.pk).first()
        if choice is not None and choice.kind == VersionChange.Kind.PROMOTED:
            yield ReplacedChoice(choice, change)
