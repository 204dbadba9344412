"""Versions that learned before the newest sales of their dataset, and how many days they do not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import F, QuerySet

from registry.datasets.models import Dataset, newest_day
from registry.model_versions.models import ModelVersion

MAX_SHOWN = 5  # versions in use that a card offers to train again
ACTIVE_STATES = ("queued", "running")  # of a training


@dataclass(frozen=True)
class StaleVersion:
    """A version in use, the days of sales that it has not learned, and the training that is at it, if any."""

    version: ModelVersion
    newer_days: int
    last_learned: date
    run: Any


def with_newest_days(versions: QuerySet[ModelVersion]) -> QuerySet[ModelVersion]:
    """The versions with `newest_day` and `last_learned`, so that a list needs no query for each row."""
    learned = F("dataset_version__last")
    return versions.annotate(newest_day=newest_day("model__dataset"), last_learned=learned)


def count_newer_days(version: Any) -> int:
    """Days of sales that were saved after the last day that the version learned; 0 if it knows them all."""
    newest, learned = getattr(version, "newest_day", None), getattr(version, "last_learned", None)
    if newest is None or learned is None:
        current = version.model.dataset.current_version
        newest, learned = current.last if current else None, version.dataset_version.last
    return max(0, (newest - learned).days) if newest else 0


def list_stale_in_use(dataset: Dataset) -> list[StaleVersion]:
    """The versions in use that have not learned the newest sales, everything first."""
    versions = ModelVersion.objects.in_use().filter(model__dataset=dataset)
    known = with_newest_days(versions.select_related("model__dataset", "dataset_version"))
    found = [version for version in known if count_newer_days(version)][:MAX_SHOWN]
    training = list_active_trainings(dataset) if found else {}
    return [
        StaleVersion(
            version,
            count_newer_days(version),
            version.dataset_version.last,
            training.get((version.model.kind, version.model.code)),
        )
        for version in found
    ]


def list_active_trainings(dataset: Dataset) -> dict[tuple[str, str], Any]:
    """The trainings on the newest sales that wait or run, by kind and code of their scope."""
    current: Any = dataset.current_version  # `runs` comes from the app training, which is above this one
    if current is None:
        return {}
    active = current.runs.filter(state__in=ACTIVE_STATES).order_by("created_at")
    return {(run.kind, run.code): run for run in active}
