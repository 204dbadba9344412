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
from forecastsite.cleanup.inventory import STONE_COLUMNS, forecast_rows, version_rows
from forecastsite.cleanup.models import CleanUp
from prediction.models import Forecast
from registry.datasets.models import DatasetVersion
from registry.lib.locks import Busy, alone
from registry.model_versions.models import ModelVersion
from registry.storage import archive
from registry.storage.artifacts import Artifact, store
from registry.storage.retention import Item, Plan, Policy, plan
from registry.storage.tombstones import Tombstone

KINDS: dict[str, type[Forecast | ModelVersion]] = {kind.KIND: kind for kind in (Forecast, ModelVersion)}
LOCK = "cleanup"


class Refused(Exception):
    """A safety limit says no; nothing was begun. The text is one sentence."""


NOT_BEGUN = (Busy, Refused, archive.ArchiveUnreachable)
FAILURES: tuple[type[Exception], ...] = (archive.ArchiveError, *archive.failures())
CODES = dict(zip(NOT_BEGUN, (4, 5, 6), strict=True))  # exit codes


class Held(Exception):
    """Something holds it now that did not when the plan was made: it stays."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How far one clean-up may go. `most` = rows, or a share like 20%; empty = no limit.

    So many rows as `always` says may go whatever their share is.
    """

    most: str = ""
    always: int = 0
    expect: str = ""
    batch: int = 200
    seconds: float | None = None


@dataclass
class Outcome:
    """What was done. `left` = not reached in time or because the archive stopped answering."""

    plan: Plan
    done: Counter[str] = field(default_factory=Counter)  # by action, and "skipped"
    freed: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)
    left: int = 0
    unreachable: str = ""

    @property
    def code(self) -> int:
        """The exit code: 0 done, 3 partly failed, 6 archive unreachable."""
        return 6 if self.unreachable else 3 if self.errors else 0

    @property
    def problem(self) -> str:
        """One sentence about what failed."""
        if self.unreachable or not self.errors:
            return self.unreachable
        words = {"failed": len(self.errors), **self.errors[0]}
        return _("%(failed)s failed, first %(name)s: %(error)s") % words

    def facts(self) -> dict[str, Any]:
        """The columns of CleanUp."""
        counts = {"deleted": self.done["delete"], "archived": self.done["archive"], "freed": self.freed}
        failed = {"failed": len(self.errors), "left": self.left}
        return {**counts, **failed, "code": self.code, "text": self.problem}


def to_archive(choice: str) -> bool:
    """Whether what goes is archived: `auto` when there is an archive. Raises ArchiveUnreachable."""
    if choice == "require" and not archive.has_archive():
        raise archive.ArchiveUnreachable(_("There is no archive: set ARCHIVE_STORE."))
    return choice != "never" and archive.has_archive()


def draw_up(policy: Policy) -> Plan:
    """The plan for the rows of now."""
    return plan(forecast_rows(), version_rows(), policy, timezone.now())


def check(found: Plan, limits: Limits) -> None:
    """Raises Refused when the plan is larger than allowed, or another one than was reviewed."""
    if limits.expect and limits.expect != found.sha256:
        raise Refused(_("The plan has changed since it was looked at: look at it again."))
    number, percent, _rest = limits.most.partition("%")
    top = len(found.items) * float(number) / 100 if percent else float(number or "inf")
    if len(found.todo) > max(top, limits.always):
        words = {"number": len(found.todo), "all": len(found.items), "most": limits.most}
        sentence = _(
            "%(number)s of %(all)s would go, more than the limit of %(most)s: look at the plan first."
        )
        raise Refused(sentence % words)


def carry_out(
    policy: Policy, limits: Limits, by: AbstractBaseUser | None = None, by_schedule: bool = False
) -> Outcome:
    """Plans, carries out and writes down what was done, or why nothing was.

    Raises Busy, Refused or ArchiveUnreachable before anything is touched.
    """
    begun, who = time.monotonic(), {"by": by, "by_schedule": by_schedule}
    try:
        with disk_reserve.opened():
            outcome = clean_up(policy, limits, by)
    except NOT_BEGUN as problem:
        CleanUp.objects.create(code=CODES[type(problem)], text=str(problem), **who)
        raise
    CleanUp.objects.create(seconds=time.monotonic() - begun, **outcome.facts(), **who)
    disk_reserve.keep_back()
    return outcome


def clean_up(policy: Policy, limits: Limits, by: AbstractBaseUser | None) -> Outcome:
    """The work of `carry_out`."""
    with alone(LOCK):
        found = draw_up(policy)
        check(found, limits)
        if policy.archive:
            archive.probe()
        sweep = Sweep(policy, limits, Outcome(found), by)
        sweep.run()
        return sweep.outcome


class Sweep:
    """One clean-up at work."""

    def __init__(
        self, policy: Policy, limits: Limits, outcome: Outcome, by: AbstractBaseUser | None = None
    ) -> None:
        self.policy, self.limits, self.outcome, self.by = policy, limits, outcome, by
        self.end = time.monotonic() + limits.seconds if limits.seconds else float("inf")

    def run(self) -> None:
        """What was begun earlier first; then the plan, batch by batch, while there is time."""
        self.outcome.left = len(self.outcome.plan.todo)
        try:
            self.finish_earlier()
            size = 1 if self.policy.archive else self.limits.batch  # to archive takes its time
            for batch in batches(self.outcome.plan.todo, size):
                if time.monotonic() > self.end:
                    break
                self.work_off(batch)
                self.outcome.left -= len(batch)
        except archive.ArchiveUnreachable as problem:
            self.outcome.unreachable = str(problem)

    def finish_earlier(self) -> None:
        """Deletions that a crash interrupted, and local files of rows that are archived."""
        for kind in (Forecast, ModelVersion, DatasetVersion):
            for row in kind.objects.filter(state=Artifact.State.DELETING):
                self.attempt(row, row.remove)
        for kept in KINDS.values():
            for row in leftovers(kept):
                self.attempt(row, row.drop_leftover)

    def attempt(self, row: Any, work: Callable[[], None]) -> bool:
        """An error in one item does not stop the others; an archive that does not answer does."""
        try:
            work()
        except archive.ArchiveUnreachable:
            raise
        except Held:
            self.outcome.done["skipped"] += 1
        except FAILURES as problem:
            facts = {"kind": row.KIND, "id": str(row.pk), "name": str(row), "error": str(problem)}
            self.outcome.errors.append(facts)
        else:
            return True
        return False

    def work_off(self, batch: Sequence[Item]) -> None:
        """One batch, all of one kind and one action."""
        kind, rules = KINDS[batch[0].kind], {item.id: item.rule for item in batch}
        if kind is Forecast and not self.policy.archive:
            return self.delete_forecasts(rules)
        for row in kind.objects.filter(pk__in=rules).order_by("created_at", "pk"):
            work = partial(self.move, row) if self.policy.archive else partial(self.delete, row, rules)
            self.count(row, self.attempt(row, work))

    def count(self, row: Any, done: bool) -> None:
        if done:
            self.outcome.done["archive" if self.policy.archive else "delete"] += 1
            self.outcome.freed += row.size

    def delete_forecasts(self, rules: dict[str, str]) -> None:
        """All in one transaction each way, since there may be a hundred thousand of them."""
        with transaction.atomic():
            rows = self.still_free(rules)
            Forecast.objects.filter(pk__in=[row.pk for row in rows]).update(state=Artifact.State.DELETING)
            stones = [row.as_tombstone(rules[str(row.pk)], self.by) for row in rows]
            Tombstone.objects.bulk_create(stones, ignore_conflicts=True)
        gone = [row for row in rows if self.attempt(row, row.drop_files)]
        Forecast.objects.filter(pk__in=[row.pk for row in gone]).delete()
        for row in gone:
            self.count(row, True)
        self.outcome.done["skipped"] += len(rules) - len(rows)

    def still_free(self, rules: dict[str, str]) -> list[Forecast]:
        """Locked: those that nobody has pinned or taken since, and whose rule still takes them."""
        # by id alone: with the state in the question SQLite would look through all ready rows each time
        found = Forecast.objects.filter(pk__in=rules).only(*STONE_COLUMNS).select_related("version__model")
        free = [row for row in found.select_for_update(of=("self",)).order_by() if row.free]
        rows = sorted(free, key=attrgetter("created_at"))
        counted = [row for row in rows if rules[str(row.pk)].startswith("beyond")]
        if counted:
            newer = Forecast.objects.ready().filter(created_at__gt=counted[-1].created_at)
            if newer.order_by()[: self.policy.count].count() < self.policy.count:  # newer ones went meanwhile
                rows = [row for row in rows if row not in counted]
        return rows

    def move(self, row: Forecast | ModelVersion) -> None:
        row.archive(lambda: self.check_free(row))

    def delete(self, row: Forecast | ModelVersion, rules: dict[str, str]) -> None:
        with transaction.atomic():
            locked = row.lock()
            if locked is None:
                raise Held
            self.check_free(locked)
            locked.condemn(rules[str(row.pk)], self.by)
        row.discard()

    def check_free(self, row: Forecast | ModelVersion) -> str:
        """Under the lock, by the same planner: raises Held when something holds it after all."""
        if isinstance(row, ModelVersion):
            needing = Forecast.objects.filter(version=row)
            if self.policy.archive:
                needing = needing.filter(archived_at=None)
            again = plan([], version_rows(row.model_id), self.policy, timezone.now())
            if needing.exists() or str(row.pk) not in {item.id for item in again.todo}:
                raise Held
        elif row.hold():
            raise Held
        return ""


def batches(todo: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """In order, at most `size` of one kind at a time."""
    for _kind, items in groupby(todo, key=attrgetter("kind")):
        while batch := list(islice(items, size)):
            yield batch


def leftovers(kind: type[Forecast | ModelVersion]) -> list[Any]:
    """Archived rows whose local file is still there, because a crash came between the two."""
    archived = kind.objects.ready().filter(archived_at__isnull=False)
    names = {f"{pk}{kind.SUFFIX}": pk for pk in archived.values_list("pk", flat=True)}
    try:
        here = store().listdir(kind.FOLDER)[1] if names else []
    except FileNotFoundError:
        here = []
    return list(archived.filter(pk__in=[names[name] for name in here if name in names]))


def default_policy() -> Policy:
    """What the settings say."""
    days, count, versions = settings.KEEP_DAYS, settings.KEEP_COUNT, settings.KEEP_VERSIONS
    grace = timedelta(hours=settings.GRACE_HOURS)
    return Policy(days=days, count=count, versions=versions, grace=grace)
