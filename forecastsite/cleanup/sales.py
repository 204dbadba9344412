"""Versions of sales as rows for the retention policy, and the bytes that go with them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from registry.datasets.models import DatasetVersion
from registry.storage.retention import PlanItem, VersionRow
from training.models import TrainingRun


def load_sales_rows(dataset: int | None = None) -> list[VersionRow]:
    """Every ready version of sales, or those of one dataset, with the size of its own file."""
    ready = DatasetVersion.objects.filter(state=DatasetVersion.State.READY).select_related("dataset")
    rows = list((ready.filter(dataset=dataset) if dataset else ready).defer("findings").order_by("number"))
    newest = {row.dataset_id: row.pk for row in rows}
    needed = find_needed()
    return [build_sales_row(row, {**needed, "current": set(newest.values())}) for row in rows]


def build_sales_row(row: DatasetVersion, protectors: dict[str, set[Any]]) -> VersionRow:
    """A version with the names of the `protectors` that contain its id."""
    return VersionRow(
        id=str(row.pk),
        name=str(row),
        created=row.created_at,
        size=row.size,
        protected_by=tuple(name for name, ids in protectors.items() if row.pk in ids),
        lineage=str(row.dataset_id),
    )


def find_needed() -> dict[str, set[Any]]:
    """Ids of the versions that rows of any table refer to, by the kind of those rows.

    Of trainings only the records of the last KEEP_DAYS count, and those that have not ended; for the others
    what came of them does.
    """
    needed: dict[str, set[Any]] = {}
    for relation in DatasetVersion._meta.related_objects:
        kind = relation.related_model
        rows = kind._default_manager.order_by()
        name = getattr(kind, "KIND", str(kind._meta.model_name))
        if kind is TrainingRun:
            young = Q(finished_at__gt=timezone.now() - timedelta(days=settings.KEEP_DAYS))
            rows = rows.filter(young | ~Q(state__in=TrainingRun.ENDED_STATES))
            name = "training_run"
        needed[name] = set(rows.values_list(relation.field.name, flat=True).distinct())
    return dict(sorted(needed.items()))


def add_part_bytes(items: list[PlanItem]) -> list[PlanItem]:
    """The items with the bytes of parts, each part counted once: with the last version that goes, or stays.

    So the bytes of the due items are those that are freed when all of them go.
    """
    ranks = {item.id: (not item.is_due, place) for place, item in enumerate(items)}
    links = DatasetVersion.parts.through.objects.filter(datasetversion__in=list(ranks))
    names = ("salespart", "datasetversion", "salespart__size")
    owners: dict[Any, str] = {}
    sizes: dict[Any, int] = {}
    for part, version, size in links.values_list(*names) if items else ():
        holder, sizes[part] = str(version), size
        if part not in owners or ranks[holder] > ranks[owners[part]]:
            owners[part] = holder
    added = Counter[str]()
    for part, holder in owners.items():
        added[holder] += sizes[part]
    return [replace(item, bytes=item.bytes + added[item.id]) for item in items]
