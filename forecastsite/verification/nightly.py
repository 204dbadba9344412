"""Looks at everything in pieces of some seconds: other jobs wait in the same queue.

Versions in use are replayed each time, files are hashed once a week and otherwise compared by size.
Nothing is changed: `reconcile_artifacts` repairs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from forecastsite.cleanup.inventory import runs_without_files, versions_in_training
from forecastsite.installation import Installation
from forecastsite.storage.sampling import sample_storage
from forecastsite.verification.models import Verification
from registry.model_versions.models import ModelVersion
from registry.model_versions.replay import replay_golden
from registry.storage.reconcile import check_row, list_artifact_models, list_file_names

JOB = "forecastsite.tasks.verify"
HOUR = 3  # at night, local time
PIECE_SECONDS = 20.0
LOST_AFTER = timedelta(minutes=10)  # without a sign of life of one that has not ended
KEPT = 90
LIBRARIES = ("torch", "numpy", "pyarrow", "lightgbm", "statsforecast")
VERSIONS = "versions"
HASH_DAYS = 7
DAMAGE = {"missing", "changed"}


@cache
def read_libraries() -> dict[str, str]:
    """Versions of the libraries that compute forecasts; of those that are installed, read once a process."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def ask_for_verification() -> None:
    """Queues the look of this night, or one after a library was upgraded, once; called every minute or so."""
    now, libraries = timezone.localtime(), read_libraries()
    day = now.date() if now.hour >= HOUR else now.date() - timedelta(days=1)
    with transaction.atomic():
        Installation.objects.select_for_update().first()  # one host at a time
        last = Verification.objects.first()
        if last is not None and last.finished_at is None:
            late = Verification.objects.filter(pk=last.pk, touched_at__lt=timezone.now() - LOST_AFTER)
            if late.update(touched_at=timezone.now()):
                async_task(JOB, last.pk, cluster="light")
        elif last is None or last.day < day or last.libraries != libraries:
            row = Verification.objects.create(day=day, libraries=libraries)
            async_task(JOB, row.pk, cluster="light")


def run_verification(pk: int, piece_seconds: float = PIECE_SECONDS) -> bool:
    """Works on it for so long; True once it has ended. Safe to repeat from where it was."""
    row = Verification.objects.filter(pk=pk, finished_at=None).first()
    if row is None:
        return True
    end = time.monotonic() + piece_seconds
    if not row.place:
        sample_storage(row.day)
    for place, key in iter_work(row):
        row.place, row.after = place, key
        if time.monotonic() > end:
            row.save()
            return False
    row.finished_at = timezone.now()
    row.save()
    old = Verification.objects.order_by("-pk").values_list("pk", flat=True)[KEPT:]
    Verification.objects.filter(pk__in=list(old)).delete()
    return True


def iter_work(row: Verification) -> Iterator[tuple[str, str]]:
    """Looks at one thing after the other, and yields where it is."""
    kinds: dict[str, Any] = {str(kind._meta.model_name): kind for kind in list_artifact_models()}
    places = [VERSIONS, *sorted(kinds)]
    begun = places.index(row.place) if row.place in places else 0
    for place in places[begun:]:
        after = row.after if place == row.place else ""
        if place == VERSIONS:
            for model in list_rows(ModelVersion.objects.in_use().filter(archived_at=None), after):
                check_version(row, model)
                yield place, str(model.pk)
        else:
            yield from iter_files(row, place, kinds[place], after)


def iter_files(row: Verification, place: str, kind: Any, after: str) -> Iterator[tuple[str, str]]:
    """Compares the files of a kind with their rows."""
    names, busy = list_file_names(kind.FOLDER), versions_in_training() | runs_without_files()
    for one in list_rows(kind._default_manager.all(), after):
        if one.pk not in busy:
            row.files += 1
            for finding in check_row(one, names, is_hash_day(one.pk.int, row.day)):
                if finding.problem in DAMAGE:
                    row.damaged += 1
                    row.note_problem(place, finding.name, finding.problem)
        yield place, str(one.pk)


def list_rows(rows: QuerySet[Any], after: str) -> Iterator[Any]:
    """In the order of their ids, those after this one."""
    ordered = rows.order_by("pk")
    return (ordered.filter(pk__gt=after) if after else ordered).iterator(chunk_size=200)


def is_hash_day(number: int, day: date) -> bool:
    """Whether the file of this row is hashed today; each is once a week."""
    return number % HASH_DAYS == day.toordinal() % HASH_DAYS


def check_version(row: Verification, model: ModelVersion) -> None:
    """Replays the golden forecast of a version in use."""
    found = replay_golden(model)
    row.versions += 1
    if found.problem:
        row.moved += found.has_moved
        row.damaged += not found.has_moved
        row.note_problem(VERSIONS, model.name, found.problem)
