"""Measures what files take, each night and for the page."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from forecastsite.storage.models import DATABASE, FREE, StorageSample
from registry.storage.artifacts import Artifact
from registry.storage.reconcile import list_artifact_models

KEPT_FOR = timedelta(days=730)
BANDS = {"week": 7, "month": 30, "year": 365}  # files that are younger than so many days
LOOK_BACK = timedelta(weeks=8)
MIN_DAYS = 7  # of samples, before they say when the disk is full
MAX_WEEKS = 520


@dataclass(frozen=True)
class KindSize:
    """Files and bytes of a kind, and the bytes of those that are younger than each band."""

    kind: str
    label: Any
    files: int
    size: int
    younger: dict[str, int]


def measure_kinds() -> list[KindSize]:
    """Every kind of files, the largest first."""
    found = [measure_kind(kind) for kind in list_artifact_models()]
    return sorted(found, key=lambda one: -one.size)


def measure_kind(kind: type[Artifact]) -> KindSize:
    """One kind, in one query."""
    now = timezone.now()
    sums = {
        name: Sum("size", filter=Q(created_at__gt=now - timedelta(days=days))) for name, days in BANDS.items()
    }
    found = kind._default_manager.aggregate(number=Count("pk"), bytes=Sum("size"), **sums)
    younger = {name: int(found[name] or 0) for name in BANDS}
    label = kind._meta.verbose_name_plural
    return KindSize(str(kind._meta.model_name), label, found["number"], int(found["bytes"] or 0), younger)


def measure_database() -> int:
    """Bytes of the database."""
    if connection.vendor == "sqlite":
        path = Path(str(settings.DATABASES["default"]["NAME"]))
        files = (path, path.with_name(f"{path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def measure_free() -> int:
    """Free bytes on the disk of this host's data folder."""
    return shutil.disk_usage(settings.DATA_DIR).free


def sample_storage(day: date) -> None:
    """Keeps the sizes of a day; a second time the same day changes nothing."""
    rows = [StorageSample(day=day, kind=one.kind, files=one.files, size=one.size) for one in measure_kinds()]
    rows.append(StorageSample(day=day, kind=DATABASE, size=measure_database()))
    rows.append(StorageSample(day=day, kind=FREE, size=measure_free()))
    StorageSample.objects.bulk_create(rows, ignore_conflicts=True)
    StorageSample.objects.filter(day__lt=day - KEPT_FOR).delete()


def count_weeks_left(today: date) -> int | None:
    """Weeks until the disk is full if it fills as in the last eight; None if it does not, or nobody knows.

    The pace is the median of what each seven days took, so that one clean-up does not hide the rest.
    """
    rows = StorageSample.objects.filter(kind=FREE, day__gte=today - LOOK_BACK).order_by("day")
    points = [(row.day.toordinal(), row.size) for row in rows]
    taken = []
    for place, (day, size) in enumerate(points):
        earlier = [point for point in points[:place] if point[0] <= day - MIN_DAYS]
        taken += [(earlier[-1][1] - size) / (day - earlier[-1][0])] if earlier else []
    per_day = median(taken) if taken else 0.0
    weeks = points[-1][1] / per_day / 7 if per_day > 0 else MAX_WEEKS + 1
    return int(weeks) if weeks <= MAX_WEEKS else None
