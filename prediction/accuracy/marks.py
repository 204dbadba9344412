"""Where another version began to forecast, as marks on the curve of errors."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from prediction.accuracy.models import ComparedDays
from prediction.accuracy.scoring import find_monday
from registry.datasets.models import Dataset
from registry.lib.days import day_number, from_day_number
from registry.model_versions.changes import VersionChange
from registry.model_versions.models import ModelVersion


def list_marks(dataset: Dataset, since: date) -> list[dict[str, str]]:
    """The week of the first days by each other version, and how that version came into use."""
    compared = ComparedDays.objects.filter(dataset_version__dataset=dataset, last__gte=since)
    firsts = compared.exclude(version=None).order_by("origin", "first").values_list("origin", "version")
    found, before = [], None
    for origin, version in firsts:
        if before not in (None, version):
            week = from_day_number(find_monday(day_number(origin) + 1))
            found.append((week, version))
        before = version
    versions = ModelVersion.objects.select_related("model__dataset").in_bulk({pk for _week, pk in found})
    kinds = dict(
        VersionChange.objects.filter(version__in=versions).order_by("pk").values_list("version", "kind")
    )
    return [
        {"week": week.isoformat(), "text": describe_mark(versions[pk], kinds.get(pk))} for week, pk in found
    ]


def describe_mark(version: ModelVersion, kind: Any) -> str:
    """How a version came into use, such as "Retrained: Trees 3"."""
    words = {"title": version.title}
    if kind == VersionChange.Kind.PROMOTED:
        return _("Put in use by hand: %(title)s") % words
    if kind == VersionChange.Kind.ROLLED_BACK:
        return _("Rolled back: %(title)s") % words
    return _("Retrained: %(title)s") % words
