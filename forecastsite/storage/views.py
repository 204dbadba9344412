"""The page of the disk, for operators."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from forecastsite.storage.models import DATABASE, FREE, StorageSample
from forecastsite.storage.sampling import (
    BANDS,
    MIN_DAYS,
    KindSize,
    count_weeks_left,
    measure_database,
    measure_free,
    measure_kinds,
)
from registry.access.permissions import permission_required

VIEW = "forecastsite.view_storagesample"
GROWTH = timedelta(weeks=4)


@require_safe
@permission_required(VIEW)
def storage_page(request: HttpRequest) -> HttpResponse:
    """Bytes by kind and age, how they grew in four weeks, and when the disk will be full."""
    today = timezone.localdate()
    earlier = load_earlier(today - GROWTH)
    kinds = [describe_kind(one, earlier) for one in measure_kinds() if one.files or one.kind in earlier]
    database, free, weeks = measure_database(), measure_free(), count_weeks_left(today)
    context = {
        "kinds": kinds,
        "total": sum(one["size"] for one in kinds),
        "database": {"size": database, "growth": grow(database, earlier.get(DATABASE))},
        "free": {"size": free, "growth": grow(free, earlier.get(FREE))},
        "sentence": describe_weeks(weeks) if weeks is not None else "",
        "is_known": StorageSample.objects.filter(
            kind=FREE, day__lte=today - timedelta(days=MIN_DAYS)
        ).exists(),
    }
    return render(request, "storage.html", context)


def load_earlier(day: Any) -> dict[str, int]:
    """Bytes by kind on the first day that was sampled at or after that one."""
    first = StorageSample.objects.filter(day__gte=day, day__lt=timezone.localdate()).order_by("day").first()
    rows = StorageSample.objects.filter(day=first.day) if first else StorageSample.objects.none()
    return dict(rows.values_list("kind", "size"))


def describe_kind(one: KindSize, earlier: dict[str, int]) -> dict[str, Any]:
    """A row of the table: bytes in each band of age, and the growth."""
    edges = [0, *(one.younger[name] for name in BANDS), one.size]
    ages = [after - before for before, after in pairwise(edges)]
    facts = {"label": one.label, "files": one.files, "size": one.size, "ages": ages}
    return facts | {"growth": grow(one.size, earlier.get(one.kind))}


def grow(now: int, before: int | None) -> dict[str, Any] | None:
    """By how many bytes it has grown, and in which direction; None if nobody knows."""
    if before is None:
        return None
    return {"bytes": abs(now - before), "sign": "+" if now >= before else "−"}


def describe_weeks(weeks: int) -> str:
    """When the disk will be full, in a sentence."""
    if weeks < 1:
        return _("The disk will be full within a week.")
    return _("The disk will be full in about %(weeks)d weeks.") % {"weeks": weeks}
