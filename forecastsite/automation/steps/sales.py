"""Steps that bring sales, stock and terms in: fetch, check, save."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet, Sum
from django.utils import timezone

from forecastsite.automation.models import Plan, PlanStep
from forecastsite.automation.outcome import Outcome, skip, wait
from registry.datasets.models import Dataset
from registry.datasets.sources.models import SourceFile
from registry.datasets.sources.service import check_files, fetch_files, list_enabled, list_files, save_files
from registry.lib.errors import MessageError, gettext_noop
from registry.lib.locks import LockUnavailable

PATIENCE = timedelta(minutes=10)  # with files that are still arriving
NO_SOURCE = gettext_noop("No source is switched on.")
ARRIVING = gettext_noop("Files that are still arriving: {count}.")
TAKEN = gettext_noop("New files: {count}.")
NO_FILE = gettext_noop("No new file.")
OTHERS = gettext_noop("The sources are being looked at.")
CHECKED = gettext_noop("Files that may be saved: {good}; held for a curator: {held}.")
SAVED = gettext_noop("Files saved: {count}, with {rows} new or changed rows. The sales reach to {day}.")
State = SourceFile.State


def fetch_sources(step: PlanStep) -> Outcome:
    """Takes what lies in the sources; waits a while for files that are still arriving."""
    dataset = step.run.dataset
    sources = list_enabled(dataset)
    if not sources:
        return skip(NO_SOURCE)
    try:
        arriving = fetch_files(dataset)
    except LockUnavailable:
        return wait(OTHERS)
    if arriving and step.started_at and timezone.now() - step.started_at < PATIENCE:
        return wait(ARRIVING, count=arriving)
    for source in sources.all():
        if source.problem:
            raise MessageError(source.problem["message"], **source.problem.get("values", {}))
    count = list_new(step).exclude(state=State.REPEATED).count()
    return Outcome(TAKEN, {"count": count}) if count else skip(NO_FILE)


def check_sources(step: PlanStep) -> Outcome:
    """Checks what was taken; files that would lose rows are held."""
    try:
        check_files(step.run.dataset)
    except LockUnavailable:
        return wait(OTHERS)
    found = list_new(step)
    held = found.filter(state=State.HELD)
    good = found.filter(state__in=[State.CHECKED, State.SAVED]).count()
    if not good and not held:
        return skip(NO_FILE)
    first = held.first()
    links = {"source": first.source_id} if first else {}
    return Outcome(CHECKED, {"good": good, "held": held.count()}, links)


def save_sources(step: PlanStep) -> Outcome:
    """Saves what passed the checks; the plan has seen these sales."""
    dataset = step.run.dataset
    try:
        if list_files(dataset, State.CHECKED).exists():
            save_files(dataset)
    except LockUnavailable:
        return wait(OTHERS)
    current = Dataset.objects.get(pk=dataset.pk).current_version
    Plan.objects.filter(pk=step.run.plan_id).update(seen_version=current)
    saved = list_new(step).filter(state=State.SAVED)
    if not saved:
        return skip(NO_FILE)
    rows = saved.aggregate(rows=Sum("rows"))["rows"]
    facts = {"rows": rows, "count": saved.count(), "day": current.last.isoformat() if current else "–"}
    return Outcome(SAVED, facts, {"dataset": dataset.pk})


def list_new(step: PlanStep) -> QuerySet[SourceFile]:
    """Files of the dataset's sources that were taken, or ended, since the run was made."""
    files = SourceFile.objects.filter(source__dataset=step.run.dataset_id)
    since = step.run.created_at
    return files.filter(taken_at__gte=since) | files.filter(ended_at__gte=since)
