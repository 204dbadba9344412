"""Carries out a plan of registry.storage.retention: mark the row under the lock, delete file, then row.

Safe to kill at any moment: a row marked `deleting` has its tombstone already and the next clean-up finishes
it; a local file is deleted only after the archived copy has been verified.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from forecastsite.cleanup import disk_reserve
from forecastsite.cleanup.inventory import (
    TOMBSTONE_COLUMNS,
    current_forecasts,
    list_archived_leftovers,
    load_forecast_rows,
    load_order_rows,
    load_run_rows,
    load_version_rows,
)
from forecastsite.cleanup.limits import LimitExceeded, Limits, check_limits
from forecastsite.cleanup.models import CleanUp
from forecastsite.cleanup.outcome import CleanupOutcome
from forecastsite.cleanup.sales import add_part_bytes, load_sales_rows
from prediction.models import Forecast, ForecastRun, OrderRun, RunSums
from registry.datasets.models import DatasetVersion
from registry.datasets.store.models import SalesPart
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.model_versions.models import ModelVersion
from registry.storage import archive
from registry.storage.artifacts import Artifact
from registry.storage.retention import (
    SALES,
    CleanupPlan,
    PlanItem,
    RetentionPolicy,
    RunRow,
    VersionRow,
    evaluate_orders,
    evaluate_policy,
    evaluate_sales,
)
from registry.storage.tombstones import Tombstone

CleanableRow = Forecast | ForecastRun | ModelVersion | OrderRun
MODELS_BY_KIND: dict[str, type[CleanableRow]] = {  # what can be archived
    kind.KIND: kind for kind in (OrderRun, Forecast, ForecastRun, ModelVersion)
}
KINDS: dict[str, type[CleanableRow | DatasetVersion]] = {**MODELS_BY_KIND, SALES: DatasetVersion}
LOCK_NAME = "cleanup"
ABANDONED_AFTER = timedelta(hours=6)  # age of a pending import that nobody saves any more


NOT_STARTED_ERRORS = (LockUnavailable, LimitExceeded, archive.ArchiveUnreachable)
EXIT_CODES = dict(zip(NOT_STARTED_ERRORS, (4, 5, 6), strict=True))


def get_failure_types() -> tuple[type[Exception], ...]:
    """What a file that cannot be handled raises. Asked for only then: boto3 takes half a second to import."""
    return archive.ArchiveError, *archive.get_storage_exceptions()


class StillInUse(Exception):
    """A row became protected after the plan was made, so it is skipped."""


def should_archive(choice: str) -> bool:
    """Whether to archive instead of delete: "auto", "require" or "never". Raises ArchiveUnreachable."""
    if choice == "require" and not archive.has_archive():
        raise archive.ArchiveUnreachable(_("No archive is configured: set ARCHIVE_STORE."))
    return choice != "never" and archive.has_archive()


def build_plan(policy: RetentionPolicy) -> CleanupPlan:
    """The plan for the current rows."""
    now = timezone.now()
    plan = evaluate_policy(load_forecast_rows(), load_version_rows(), policy, now, load_run_rows())
    orders = evaluate_orders(load_order_rows(), policy, now)
    return CleanupPlan(
        [*orders, *plan.items, *add_part_bytes(evaluate_sales(load_sales_rows(), policy, now))]
    )


def preview_cleanup(policy: RetentionPolicy, limits: Limits) -> CleanupOutcome:
    """The outcome of a dry run: only the plan. Raises LimitExceeded."""
    with disk_reserve.release_reserve():
        plan = build_plan(policy)
        check_limits(plan, limits)
        return CleanupOutcome(plan)


def run_cleanup(
    policy: RetentionPolicy, limits: Limits, by: AbstractBaseUser | None = None, by_schedule: bool = False
) -> CleanupOutcome:
    """Plans, carries out the plan and records the result, or why nothing was done.

    Raises LockUnavailable, LimitExceeded or ArchiveUnreachable before anything is touched.
    """
    start, trigger = time.monotonic(), {"by": by, "by_schedule": by_schedule}
    with disk_reserve.release_reserve():
        try:
            outcome = plan_and_apply(policy, limits, by)
        except NOT_STARTED_ERRORS as problem:
            CleanUp.objects.create(code=EXIT_CODES[type(problem)], text=str(problem), **trigger)
            raise
        CleanUp.objects.create(seconds=time.monotonic() - start, **outcome.to_columns(), **trigger)
    return outcome


def plan_and_apply(policy: RetentionPolicy, limits: Limits, by: AbstractBaseUser | None) -> CleanupOutcome:
    """Plans and carries out the plan, holding the lock of all maintenance."""
    with exclusive_lock(LOCK_NAME):
        plan = build_plan(policy)
        check_limits(plan, limits)
        if policy.should_archive:
            archive.probe_archive()
        run = CleanupRun(policy, limits, CleanupOutcome(plan), by)
        run.process_plan()
        return run.outcome


class CleanupRun:
    """One clean-up in progress."""

    def __init__(
        self,
        policy: RetentionPolicy,
        limits: Limits,
        outcome: CleanupOutcome,
        by: AbstractBaseUser | None = None,
    ) -> None:
        self.policy, self.limits, self.outcome, self.by = policy, limits, outcome, by
        self.sizes = {item.id: item.bytes for item in outcome.plan.due_items}
        self.deadline = time.monotonic() + limits.time_limit if limits.time_limit else float("inf")

    def process_plan(self) -> None:
        """Finishes interrupted work, then processes the plan in batches until the time limit."""
        self.outcome.left_count = len(self.outcome.plan.due_items)
        try:
            self.finish_interrupted()
            size = 1 if self.policy.should_archive else self.limits.batch_size  # archiving is slow
            for batch in split_batches(self.outcome.plan.due_items, size):
                if time.monotonic() > self.deadline:
                    break
                self.process_batch(batch)
                self.outcome.left_count -= len(batch)
        except archive.ArchiveUnreachable as problem:
            self.outcome.unreachable_reason = str(problem)

    def finish_interrupted(self) -> None:
        """Finishes deletions and archivings that a crash interrupted; removes what a killed import left."""
        for kind in (OrderRun, Forecast, ForecastRun, ModelVersion, DatasetVersion, SalesPart):
            for row in kind.objects.filter(state=Artifact.State.DELETING):
                self.try_on_row(row, row.remove)
        since = timezone.now() - ABANDONED_AFTER
        for imported in (DatasetVersion, SalesPart):
            for row in imported.objects.filter(state=Artifact.State.PENDING, created_at__lt=since):
                self.try_on_row(row, row.remove)
        for archivable in (*MODELS_BY_KIND.values(), RunSums):
            for row in list_archived_leftovers(archivable):
                self.try_on_row(row, row.delete_local_copy)

    def try_on_row(self, row: Any, work: Callable[[], None]) -> bool:
        """Does the work and returns whether it succeeded; only an unreachable archive stops the others."""
        try:
            work()
        except archive.ArchiveUnreachable:
            raise
        except StillInUse:
            self.outcome.counts["skipped"] += 1
        except get_failure_types() as problem:
            facts = {"kind": row.KIND, "id": str(row.pk), "name": str(row), "error": str(problem)}
            self.outcome.failures.append(facts)
        else:
            return True
        return False

    def process_batch(self, batch: Sequence[PlanItem]) -> None:
        """Processes a batch of items of one kind."""
        kind, rules = KINDS[batch[0].kind], {item.id: item.rule for item in batch}
        if kind is Forecast and not self.policy.should_archive:
            return self.delete_forecasts(rules)
        for row in kind.objects.filter(pk__in=rules).order_by("created_at", "pk"):
            is_archivable = self.policy.should_archive and not isinstance(row, DatasetVersion)
            work = partial(self.archive_row, row) if is_archivable else partial(self.delete_row, row, rules)
            key = str(row.pk)  # a deleted row has none
            self.count_done(key, self.try_on_row(row, work))

    def count_done(self, key: str, is_done: bool) -> None:
        """Counts a processed row by its id."""
        if is_done:
            self.outcome.counts["archive" if self.policy.should_archive else "delete"] += 1
            self.outcome.freed_bytes += self.sizes[key]

    def delete_forecasts(self, rules: dict[str, str]) -> None:
        """Deletes a batch of forecasts in two transactions: there may be a hundred thousand of them."""
        with transaction.atomic():
            rows = self.lock_deletable(rules)
            Forecast.objects.filter(pk__in=[row.pk for row in rows]).update(state=Artifact.State.DELETING)
            stones = [row.build_tombstone(rules[str(row.pk)], self.by) for row in rows]
            Tombstone.objects.bulk_create(stones, ignore_conflicts=True)
        gone = [row for row in rows if self.try_on_row(row, row.delete_files)]
        Forecast.objects.filter(pk__in=[row.pk for row in gone]).delete()
        for row in gone:
            self.count_done(str(row.pk), True)
        self.outcome.counts["skipped"] += len(rules) - len(rows)

    def lock_deletable(self, rules: dict[str, str]) -> list[Forecast]:
        """The forecasts, locked, that are still removable and still covered by their rule."""
        # by id alone: with a filter on the state SQLite would scan all ready rows each time
        found = (
            Forecast.objects.filter(pk__in=rules).only(*TOMBSTONE_COLUMNS).select_related("version__model")
        )
        locked, current = found.select_for_update(of=("self",)).order_by(), current_forecasts()
        free = [row for row in locked if row.is_removable and row.run_id is None and row.pk not in current]
        rows = sorted(free, key=attrgetter("created_at"))
        counted = [row for row in rows if rules[str(row.pk)].startswith("beyond")]
        if counted:
            newer = Forecast.objects.ready().filter(created_at__gt=counted[-1].created_at)
            most = self.policy.max_forecasts
            if newer.order_by()[:most].count() < most:  # newer ones were deleted meanwhile
                rows = [row for row in rows if row not in counted]
        return rows

    def archive_row(self, row: Any) -> None:
        """Moves a row's file to the archive; raises StillInUse or ArchiveError."""
        row.move_to_archive(lambda: self.check_deletable(row))

    def delete_row(self, row: CleanableRow | DatasetVersion, rules: dict[str, str]) -> None:
        """Deletes a row with its file; raises StillInUse."""
        with transaction.atomic():
            locked = row.lock_row()
            if locked is None:
                raise StillInUse
            self.check_deletable(locked)
            locked.mark_for_deletion(rules[str(row.pk)], self.by)
        row.remove()  # is marked, with its tombstone

    def check_deletable(self, row: CleanableRow | DatasetVersion) -> str:
        """Checks the policy again under the lock; raises StillInUse if the row is protected by now."""
        if isinstance(row, ModelVersion):
            needing = Forecast.objects.filter(version=row)
            if self.policy.should_archive:
                needing = needing.filter(archived_at=None)
            self.check_due(row, versions=load_version_rows(row.model_id))
            if needing.exists():
                raise StillInUse
        elif isinstance(row, ForecastRun):
            self.check_due(row, runs=load_run_rows(row.dataset_version.dataset_id))
        elif isinstance(row, DatasetVersion | OrderRun):
            is_sales = isinstance(row, DatasetVersion)
            rows = (load_sales_rows if is_sales else load_order_rows)(row.dataset_id)
            evaluate = evaluate_sales if is_sales else evaluate_orders
            items = evaluate(rows, self.policy, timezone.now())
            if str(row.pk) not in {item.id for item in items if item.is_due}:
                raise StillInUse
        elif row.removal_blocker():
            raise StillInUse
        return ""

    def check_due(
        self, row: CleanableRow, versions: Sequence[VersionRow] = (), runs: Sequence[RunRow] = ()
    ) -> None:
        """Raises StillInUse if the policy spares the row among what there is now."""
        again = evaluate_policy([], versions, self.policy, timezone.now(), runs)
        if str(row.pk) not in {item.id for item in again.due_items}:
            raise StillInUse


def split_batches(todo: Sequence[PlanItem], size: int) -> Iterator[list[PlanItem]]:
    """Yields batches of at most `size` items of one kind, in order."""
    for _kind, items in groupby(todo, key=attrgetter("kind")):
        while batch := list(islice(items, size)):
            yield batch


def build_default_policy() -> RetentionPolicy:
    """The policy from the settings."""
    return RetentionPolicy(
        max_age_days=settings.KEEP_DAYS,
        max_forecasts=settings.KEEP_COUNT,
        max_versions=settings.KEEP_VERSIONS,
        max_runs=settings.KEEP_RUNS,
        max_sales=settings.KEEP_SALES,
        max_orders=settings.KEEP_ORDERS,
        grace_period=timedelta(hours=settings.GRACE_HOURS),
    )
