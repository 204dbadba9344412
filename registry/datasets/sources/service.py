"""Works on the sources of a dataset: fetch, check, save; one process at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_q.tasks import async_task

from registry.datasets.models import Dataset
from registry.datasets.sources.checking import check_file, save_file
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.taking import fetch_source
from registry.lib.locks import LockUnavailable, exclusive_lock

JOB = "registry.datasets.sources.service.work_on_sources"
LOOK_PAUSE = timedelta(seconds=25)  # between two looks at a place
ASK_PAUSE = timedelta(minutes=10)  # a job may have been lost
State = SourceFile.State


@contextmanager
def sources_lock(dataset_id: int) -> Iterator[None]:
    """Held by whoever works on the sources of a dataset; raises LockUnavailable."""
    with exclusive_lock(f"sources-{dataset_id}"):
        yield


def fetch_files(dataset: Dataset) -> int:
    """Takes what is complete in all sources; how many files are still arriving. Raises LockUnavailable."""
    with sources_lock(dataset.pk):
        return sum(fetch_source(source) for source in list_enabled(dataset))


def check_files(dataset: Dataset) -> int:
    """Checks what was taken; how many files. Raises LockUnavailable."""
    return _work_through(dataset, State.TAKEN, check_file)


def save_files(dataset: Dataset) -> int:
    """Saves what was checked and moves the files away; how many. Raises LockUnavailable."""
    count = _work_through(dataset, State.CHECKED, save_file)
    fetch_files(dataset)  # which moves them
    return count


def _work_through(dataset: Dataset, state: str, work: Callable[[SourceFile], None]) -> int:
    with sources_lock(dataset.pk):
        rows = list(list_files(dataset, state))
        for row in rows:
            work(row)
        return len(rows)


def work_off(dataset: Dataset) -> int:
    """Fetches, then checks and saves one file after the other; how many. Raises LockUnavailable."""
    count = 0
    with sources_lock(dataset.pk):
        for source in list_enabled(dataset):
            fetch_source(source)
        for row in list(list_files(dataset, *SourceFile.OPEN_STATES)):
            if row.state == State.TAKEN:
                check_file(row)
            if row.state == State.CHECKED:
                save_file(row)
            count += 1
        for source in list_enabled(dataset) if count else ():
            fetch_source(source)
    return count


def list_enabled(dataset: Dataset) -> QuerySet[Source]:
    """The sources of a dataset that are switched on."""
    return Source.objects.filter(dataset=dataset, is_enabled=True).select_related("dataset", "created_by")


def list_files(dataset: Dataset, *states: str) -> QuerySet[SourceFile]:
    """The files of its sources in these states, in the order in which they were found."""
    found = SourceFile.objects.filter(source__dataset=dataset, source__is_enabled=True, state__in=states)
    return found.select_related("source__dataset", "source__created_by").order_by("pk")


def work_on_sources() -> None:
    """Queue job: works on the sources of every dataset that were not looked at a moment ago."""
    due = Q(looked_at=None) | Q(looked_at__lt=F("asked_at"))
    for dataset in Dataset.objects.filter(
        pk__in=Source.objects.filter(due, is_enabled=True).values("dataset")
    ):
        try:
            work_off(dataset)
        except LockUnavailable:
            continue  # whoever holds the lock does it


def ask_for_sources() -> None:
    """Queues the job if a look is due; called every few seconds by hosts with the light queue."""
    now = timezone.now()
    never = Q(asked_at=None)
    answered = Q(looked_at__gte=F("asked_at"), asked_at__lt=now - LOOK_PAUSE)
    due = Source.objects.filter(never | answered | Q(asked_at__lt=now - ASK_PAUSE), is_enabled=True)
    if due.update(asked_at=now):
        async_task(JOB, cluster="light")


def request_look(source: Source) -> None:
    """Has a source looked at now."""
    Source.objects.filter(pk=source.pk).update(asked_at=timezone.now())
    async_task(JOB, cluster="light")
