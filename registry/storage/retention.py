"""What a clean-up takes and what it leaves. Pure: rows in, a plan out; no Django, no clock, no disk.

A forecast goes when it is older than so many days or beyond the newest so many; a version when it is beyond
the newest so many of its algorithm and scope. Nothing goes that is younger than the grace period or held:
pinned, in use (best), at work in a run, or the version of a forecast that stays.

>>> from dataclasses import replace
>>> from datetime import datetime
>>> now = datetime(2026, 3, 1)
>>> old = ForecastRow(id="a", name="old", created=datetime(2026, 1, 1), size=10, version="v")
>>> new = ForecastRow(id="b", name="new", created=datetime(2026, 2, 20), size=20, version="v")
>>> plan = evaluate_policy([old, new], [], RetentionPolicy(), now)
>>> [(item.name, item.action, item.rule) for item in plan.items]
[('old', 'delete', 'older_than_30_days'), ('new', 'keep', 'within_limits')]
>>> pinned = replace(old, protected_by=("pinned",))
>>> [(item.action, item.protected_by) for item in evaluate_policy([pinned], [], RetentionPolicy(), now).items]
[('keep', ('pinned',))]
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

FORECAST, VERSION = "forecast", "model_version"
DELETE, ARCHIVE, KEEP = "delete", "archive", "keep"
WITHIN_LIMITS = "within_limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """A file that may go. `held` = what already holds it (pinned, best, run, …); archived = not here."""

    id: str
    name: str
    created: datetime
    size: int
    protected_by: tuple[str, ...] = ()
    is_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow(ArtifactRow):
    """A forecast and the id of the version that made it."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow(ArtifactRow):
    """A version; those of one algorithm and scope share their `line`."""

    lineage: str


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """The rules. With `archive` what goes is moved to the archive instead of deleted."""

    max_age_days: int = 30
    max_forecasts: int = 1000
    max_versions: int = 3
    grace_period: timedelta = timedelta(hours=24)
    kinds: frozenset[str] = frozenset({FORECAST, VERSION})
    should_archive: bool = False


@dataclass(frozen=True, slots=True)
class PlanItem:
    """What happens to one row and why: the rule that takes it, and what protects it all the same."""

    kind: str
    id: str
    name: str
    action: str
    rule: str
    protected_by: tuple[str, ...]
    bytes: int

    @property
    def is_due(self) -> bool:
        return self.action != KEEP

    @property
    def reason(self) -> str:
        """Why it goes or stays, in a word or two."""
        return ", ".join(self.protected_by) or self.rule


@dataclass(frozen=True)
class CleanupPlan:
    """All items, in the order in which they are worked off: oldest first, forecasts before versions."""

    items: list[PlanItem]

    @cached_property
    def due_items(self) -> list[PlanItem]:
        return [item for item in self.items if item.is_due]

    @property
    def sha256(self) -> str:
        """Names what would be done; that which stays does not change it."""
        lines = sorted(f"{item.action} {item.kind} {item.id} {item.rule}" for item in self.due_items)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def count_by_action(self) -> dict[str, int]:
        """How many are kept, deleted, archived."""
        found = Counter(item.action for item in self.items)
        return {action: found[action] for action in (KEEP, DELETE, ARCHIVE)}

    def bytes_by_action(self) -> dict[str, int]:
        """The same in bytes of the files here."""
        sums = Counter[str]()
        for item in self.items:
            sums[item.action] += item.bytes
        return {action: sums[action] for action in (KEEP, DELETE, ARCHIVE)}

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """The items as JSON knows them."""
        return ({**asdict(item), "protected_by": list(item.protected_by)} for item in self.items)


def evaluate_policy(
    forecasts: Sequence[ForecastRow], versions: Sequence[VersionRow], policy: RetentionPolicy, now: datetime
) -> CleanupPlan:
    """The plan for these rows. Rows of a kind that the policy leaves out stay, and hold what they use."""
    first = evaluate_forecasts(forecasts, policy, now) if FORECAST in policy.kinds else []
    going = {item.id for item in first if item.is_due}
    # A version may follow its forecasts: into the archive when they are there, out when they are gone.
    used = {
        row.version
        for row in forecasts
        if row.id not in going and not (policy.should_archive and row.is_archived)
    }
    second = evaluate_versions(versions, used, policy, now) if VERSION in policy.kinds else []
    return CleanupPlan([*first, *second])


def evaluate_forecasts(rows: Sequence[ForecastRow], policy: RetentionPolicy, now: datetime) -> list[PlanItem]:
    """Oldest first."""
    items, many = [], f"beyond_newest_{policy.max_forecasts}"
    for rank, row in enumerate(sort_newest_first(rows)):
        old = now - row.created > timedelta(days=policy.max_age_days)
        rule = (
            f"older_than_{policy.max_age_days}_days"
            if old
            else many
            if rank >= policy.max_forecasts
            else WITHIN_LIMITS
        )
        items.append(build_item(FORECAST, row, rule, list_protections(row, policy, now), policy))
    return items[::-1]


def evaluate_versions(
    rows: Sequence[VersionRow], used: set[str], policy: RetentionPolicy, now: datetime
) -> list[PlanItem]:
    """Oldest first; `used` = ids of versions that a forecast needs which stays."""
    items, seen, many = [], Counter[str](), f"beyond_newest_{policy.max_versions}_versions"
    for row in sort_newest_first(rows):
        rule = many if seen[row.lineage] >= policy.max_versions else WITHIN_LIMITS
        seen[row.lineage] += 1
        reasons = [*list_protections(row, policy, now), *(["forecast"] if row.id in used else [])]
        items.append(build_item(VERSION, row, rule, reasons, policy))
    return items[::-1]


def sort_newest_first(rows: Iterable[Any]) -> list[Any]:
    """Rows of the same moment in the order of their ids, so that two plans never differ by chance."""
    return sorted(rows, key=lambda row: (row.created, row.id), reverse=True)


def list_protections(row: ArtifactRow, policy: RetentionPolicy, now: datetime) -> list[str]:
    """What keeps it, whatever the rules say."""
    young = ["young"] if now - row.created < policy.grace_period else []
    return [*row.protected_by, *young, *(["archived"] if row.is_archived else [])]


def build_item(
    kind: str, row: ArtifactRow, rule: str, reasons: Sequence[str], policy: RetentionPolicy
) -> PlanItem:
    goes = rule != WITHIN_LIMITS and not reasons
    action = (ARCHIVE if policy.should_archive else DELETE) if goes else KEEP
    size = 0 if row.is_archived else row.size
    return PlanItem(kind, row.id, row.name, action, rule, tuple(dict.fromkeys(reasons)), size)
