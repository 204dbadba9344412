"""Carries out a plan of registry.storage.retention: condemn under the lock, drop the file, drop the row.

Safe to kill at any moment: a row that says `deleting` has its tombstone already, and the next clean-up
finishes it; a file is dropped for the archive only after the archive's copy was read back.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
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
from forecastsite.cleanup.inventory import TOMBSTONE_COLUMNS, load_forecast_rows, load_version_rows
from forecastsite.cleanup.models import CleanUp
from prediction.models import Forecast
from registry.datasets.models import DatasetVersion
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.model_versions.models import ModelVersion
from registry.storage import archive
from registry.storage.artifacts import Artifact, get_artifact_store
from registry.storage.retention import CleanupPlan, PlanItem, RetentionPolicy, evaluate_policy
from registry.storage.tombstones import Tombstone

MODELS_BY_KIND: dict[str, type[Forecast | ModelVersion]] = {
    kind.KIND: kind for kind in (Forecast, ModelVersion)
}
LOCK_NAME = "cleanup"


class LimitExceeded(Exception):
    """A safety limit says no; nothing was begun. The text is one sentence."""


NOT_STARTED_ERRORS = (LockUnavailable, LimitExceeded, archive.ArchiveUnreachable)
FAILURE_TYPES: tuple[type[Exception], ...] = (archive.ArchiveError, *archive.get_storage_exceptions())
EXIT_CODES = dict(zip(NOT_STARTED_ERRORS, (4, 5, 6), strict=True))  # exit codes


class StillInUse(Exception):
    """Something holds it now that did not when the plan was made: it stays."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far one clean-up may go. `most` = rows, or a share like 20%; empty = no limit.

    So many rows as `always` says may go whatever their share is.
    """

    max_delete: str = ""
    always_allowed: int = 0
    expected_sha256: str = ""
    batch_size: int = 200
    time_limit: float | None = None


@dataclass
class CleanupOutcome:
    """What was done. `left` = not reached in time or because the archive stopped answering."""

    plan: CleanupPlan
    counts: Counter[str] = field(default_factory=Counter)  # by action, and "skipped"
    freed_bytes: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    left_count: int = 0
    unreachable_reason: str = ""

    @property
    def exit_code(self) -> int:
        """The exit code: 0 done, 3 partly failed, 6 archive unreachable."""
        return 6 if self.unreachable_reason else 3 if self.failures else 0

    @property
    def failure_sentence(self) -> str:
        """One sentence about what failed."""
        if self.unreachable_reason or not self.failures:
            return self.unreachable_reason
        words = {"failed": len(self.failures), **self.failures[0]}
        return _("%(failed)s failed, first %(name)s: %(error)s") % words

    def to_columns(self) -> dict[str, Any]:
        """The columns of CleanUp."""
        counts = {
            "deleted": self.counts["delete"],
            "archived": self.counts["archive"],
            "freed": self.freed_bytes,
        }
        failed = {"failed": len(self.failures), "left": self.left_count}
        return {**counts, **failed, "code": self.exit_code, "text": self.failure_sentence}


def should_archive(choice: str) -> bool:
    """Whether what goes is archived: `auto` when there is an archive. Raises ArchiveUnreachable."""
    if choice == "require" and not archive.has_archive():
        raise archive.ArchiveUnreachable(_("There is no archive: set ARCHIVE_STORE."))
    return choice != "never" and archive.has_archive()


def build_plan(policy: RetentionPolicy) -> CleanupPlan:
    """The plan for the rows of now."""
    return evaluate_policy(load_forecast_rows(), load_version_rows(), policy, timezone.now())


def check_limits(found: CleanupPlan, limits: Limits) -> None:
    """Raises Refused when the plan is larger than allowed, or another one than was reviewed."""
    if limits.expected_sha256 and limits.expected_sha256 != found.sha256:
        raise LimitExceeded(_("The plan has changed since it was looked at: look at it again."))
    number, percent, _rest = limits.max_delete.partition("%")
    top = len(found.items) * float(number) / 100 if percent else float(number or "inf")
    if len(found.due_items) > max(top, limits.always_allowed):
        words = {"number": len(found.due_items), "all": len(found.items), "most": limits.max_delete}
        sentence = _(
            "%(number)s of %(all)s would go, more than the limit of %(most)s: look at the plan first."
        )
        raise LimitExceeded(sentence % words)


def run_cleanup(
    policy: RetentionPolicy, limits: Limits, by: AbstractBaseUser | None = None, by_schedule: bool = False
) -> CleanupOutcome:
    """Plans, carries out and writes down what was done, or why nothing was.

    Raises Busy, Refused or ArchiveUnreachable before anything is touched.
    """
    begun, who = time.monotonic(), {"by": by, "by_schedule": by_schedule}
    try:
        with disk_reserve.release_reserve():
            outcome = plan_and_apply(policy, limits, by)
    except NOT_STARTED_ERRORS as problem:
        CleanUp.objects.create(code=EXIT_CODES[type(problem)], text=str(problem), **who)
        raise
    CleanUp.objects.create(seconds=time.monotonic() - begun, **outcome.to_columns(), **who)
    disk_reserve.fill_reserve()
    return outcome


def plan_and_apply(policy: RetentionPolicy, limits: Limits, by: AbstractBaseUser | None) -> CleanupOutcome:
    """The work of `carry_out`."""
    with exclusive_lock(LOCK_NAME):
        found = build_plan(policy)
        check_limits(found, limits)
        if policy.should_archive:
            archive.probe_archive()
        sweep = CleanupRun(policy, limits, CleanupOutcome(found), by)
        sweep.process_plan()
        return sweep.outcome


class CleanupRun:
    """One clean-up at work."""

    def __init__(
        self,
        policy: RetentionPolicy,
        limits: Limits,
        outcome: CleanupOutcome,
        by: AbstractBaseUser | None = None,
    ) -> None:
        self.policy, self.limits, self.outcome, self.by = policy, limits, outcome, by
        self.deadline = time.monotonic() + limits.time_limit if limits.time_limit else float("inf")

    def process_plan(self) -> None:
        """What was begun earlier first; then the plan, batch by batch, while there is time."""
        self.outcome.left_count = len(self.outcome.plan.due_items)
        try:
            self.finish_interrupted()
            size = 1 if self.policy.should_archive else self.limits.batch_size  # to archive takes its time
            for batch in split_batches(self.outcome.plan.due_items, size):
                if time.monotonic() > self.deadline:
                    break
                self.process_batch(batch)
                self.outcome.left_count -= len(batch)
        except archive.ArchiveUnreachable as problem:
            self.outcome.unreachable_reason = str(problem)

    def finish_interrupted(self) -> None:
        """Deletions that a crash interrupted, and local files of rows that are archived."""
        for kind in (Forecast, ModelVersion, DatasetVersion):
            for row in kind.objects.filter(state=Artifact.State.DELETING):
                self.try_on_row(row, row.remove)
        for kept in MODELS_BY_KIND.values():
            for row in list_archived_leftovers(kept):
                self.try_on_row(row, row.delete_local_copy)

    def try_on_row(self, row: Any, work: Callable[[], None]) -> bool:
        """An error in one item does not stop the others; an archive that does not answer does."""
        try:
            work()
        except archive.ArchiveUnreachable:
            raise
        except StillInUse:
            self.outcome.counts["skipped"] += 1
        except FAILURE_TYPES as problem:
            facts = {"kind": row.KIND, "id": str(row.pk), "name": str(row), "error": str(problem)}
            self.outcome.failures.append(facts)
        else:
            return True
        return False

    def process_batch(self, batch: Sequence[PlanItem]) -> None:
        """One batch, all of one kind and one action."""
        kind, rules = MODELS_BY_KIND[batch[0].kind], {item.id: item.rule for item in batch}
        if kind is Forecast and not self.policy.should_archive:
            return self.delete_forecasts(rules)
        for row in kind.objects.filter(pk__in=rules).order_by("created_at", "pk"):
            work = (
                partial(self.archive_row, row)
                if self.policy.should_archive
                else partial(self.delete_row, row, rules)
            )
            self.count_done(row, self.try_on_row(row, work))

    def count_done(self, row: Any, is_done: bool) -> None:
        if is_done:
            self.outcome.counts["archive" if self.policy.should_archive else "delete"] += 1
            self.outcome.freed_bytes += row.size

    def delete_forecasts(self, rules: dict[str, str]) -> None:
        """All in one transaction each way, since there may be a hundred thousand of them."""
        with transaction.atomic():
            rows = self.lock_deletable(rules)
            Forecast.objects.filter(pk__in=[row.pk for row in rows]).update(state=Artifact.State.DELETING)
            stones = [row.build_tombstone(rules[str(row.pk)], self.by) for row in rows]
            Tombstone.objects.bulk_create(stones, ignore_conflicts=True)
        gone = [row for row in rows if self.try_on_row(row, row.delete_files)]
        Forecast.objects.filter(pk__in=[row.pk for row in gone]).delete()
        for row in gone:
            self.count_done(row, True)
        self.outcome.counts["skipped"] += len(rules) - len(rows)

    def lock_deletable(self, rules: dict[str, str]) -> list[Forecast]:
        """Locked: those that nobody has pinned or taken since, and whose rule still takes them."""
        # by id alone: with the state in the question SQLite would look through all ready rows each time
        found = (
            Forecast.objects.filter(pk__in=rules).only(*TOMBSTONE_COLUMNS).select_related("version__model")
        )
        free = [row for row in found.select_for_update(of=("self",)).order_by() if row.is_removable]
        rows = sorted(free, key=attrgetter("created_at"))
        counted = [row for row in rows if rules[str(row.pk)].startswith("beyond")]
        if counted:
            newer = Forecast.objects.ready().filter(created_at__gt=counted[-1].created_at)
            if (
                newer.order_by()[: self.policy.max_forecasts].count() < self.policy.max_forecasts
            ):  # newer ones went meanwhile
                rows = [row for row in rows if row not in counted]
        return rows

    def archive_row(self, row: Forecast | ModelVersion) -> None:
        row.move_to_archive(lambda: self.check_deletable(row))

    def delete_row(self, row: Forecast | ModelVersion, rules: dict[str, str]) -> None:
        with transaction.atomic():
            locked = row.lock_row()
            if locked is None:
                raise StillInUse
            self.check_deletable(locked)
            locked.mark_for_deletion(rules[str(row.pk)], self.by)
        row.delete_files_and_row()

    def check_deletable(self, row: Forecast | ModelVersion) -> str:
        """Under the lock, by the same planner: raises Held when something holds it after all."""
        if isinstance(row, ModelVersion):
            needing = Forecast.objects.filter(version=row)
            if self.policy.should_archive:
                needing = needing.filter(archived_at=None)
            again = evaluate_policy([], load_version_rows(row.model_id), self.policy, timezone.now())
            if needing.exists() or str(row.pk) not in {item.id for item in again.due_items}:
                raise StillInUse
        elif row.removal_blocker():
            raise StillInUse
        return ""


def split_batches(todo: Sequence[PlanItem], size: int) -> Iterator[list[PlanItem]]:
    """In order, at most `size` of one kind at a time."""
    for _kind, items in groupby(todo, key=attrgetter("kind")):
        while batch := list(islice(items, size)):
            yield batch


def list_archived_leftovers(kind: type[Forecast | ModelVersion]) -> list[Any]:
    """Archived rows whose local file is still there, because a crash came between the two."""
    archived = kind.objects.ready().filter(archived_at__isnull=False)
    names = {f"{pk}{kind.SUFFIX}": pk for pk in archived.values_list("pk", flat=True)}
    try:
        here = get_artifact_store().listdir(kind.FOLDER)[1] if names else []
    except FileNotFoundError:
        here = []
    return list(archived.filter(pk__in=[names[name] for name in here if name in names]))


def build_default_policy() -> RetentionPolicy:
    """What the settings say."""
    days, count, versions = settings.KEEP_DAYS, settings.KEEP_COUNT, settings.KEEP_VERSIONS
    grace = timedelta(hours=settings.GRACE_HOURS)
    return RetentionPolicy(max_age_days=days, max_forecasts=count, max_versions=versions, grace_period=grace)
