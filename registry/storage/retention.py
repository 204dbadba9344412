"""Retention policy: which forecasts, runs, versions and sales a clean-up removes. Pure: no Django or clock.

A forecast expires by age or by count; a forecast run when enough newer ones of its dataset exist, a version
when enough newer ones of its algorithm and scope do, a version of sales when enough newer ones of its dataset
do. Rows within the grace period are never removed, nor are protected ones: pinned, in use (best, current),
part of a running training, needed by orders, the version of a forecast or run that is kept, or the sales that
a model, forecast or run was made from.

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

FORECAST, FORECAST_RUN, VERSION, SALES = "forecast", "forecast_run", "model_version", "dataset_version"
ORDER_RUN = "order_run"
DELETE, ARCHIVE, KEEP = "delete", "archive", "keep"
WITHIN_LIMITS = "within_limits"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """A row with a file; `protected_by` names what protects it (pinned, best, run, …)."""

    id: str
    name: str
    created: datetime
    size: int
    protected_by: tuple[str, ...] = ()
    is_archived: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRow(ArtifactRow):
    """A forecast and the id of its model version."""

    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow(ArtifactRow):
    """A version, of a model or of sales; those of one algorithm and scope, or dataset, share a `lineage`."""

    lineage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow(VersionRow):
    """A forecast run and the id of its model version; those of one dataset share their `lineage`."""

    version: str


@dataclass(frozen=True, kw_only=True)
class RetentionPolicy:
    """The rules; `should_archive` moves files to the archive instead of deleting them."""

    max_age_days: int = 30
    max_forecasts: int = 1000
    max_versions: int = 3
    max_runs: int = 40
    max_sales: int = 30
    max_orders: int = 100
    grace_period: timedelta = timedelta(hours=24)
    kinds: frozenset[str] = frozenset({FORECAST, ORDER_RUN, FORECAST_RUN, VERSION, SALES})
    should_archive: bool = False


@dataclass(frozen=True, slots=True)
class PlanItem:
    """The action for one row, the rule that applies and what overrides that rule."""

    kind: str
    id: str
    name: str
    action: str
    rule: str
    protected_by: tuple[str, ...]
    bytes: int

    @property
    def is_due(self) -> bool:
        """Whether the row is deleted or archived."""
        return self.action != KEEP

    @property
    def reason(self) -> str:
        """Why the row is removed or kept, in a word or two."""
        return ", ".join(self.protected_by) or self.rule


@dataclass(frozen=True)
class CleanupPlan:
    """All items in the order of work: orders, forecasts, runs, versions, sales; of each the oldest first."""

    items: list[PlanItem]

    @cached_property
    def due_items(self) -> list[PlanItem]:
        """Items to delete or archive."""
        return [item for item in self.items if item.is_due]

    @property
    def sha256(self) -> str:
        """Fingerprint of the due items; kept rows do not change it."""
        lines = sorted(f"{item.action} {item.kind} {item.id} {item.rule}" for item in self.due_items)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def count_by_action(self) -> dict[str, int]:
        """Number of items kept, deleted and archived."""
        found = Counter(item.action for item in self.items)
        return {action: found[action] for action in (KEEP, DELETE, ARCHIVE)}

    def bytes_by_action(self) -> dict[str, int]:
        """Bytes of local files kept, deleted and archived."""
        sums = Counter[str]()
        for item in self.items:
            sums[item.action] += item.bytes
        return {action: sums[action] for action in (KEEP, DELETE, ARCHIVE)}

    def iter_rows(self) -> Iterator[dict[str, Any]]:
        """Yields the items for JSON."""
        return ({**asdict(item), "protected_by": list(item.protected_by)} for item in self.items)


def evaluate_policy(
    forecasts: Sequence[ForecastRow],
    versions: Sequence[VersionRow],
    policy: RetentionPolicy,
    now: datetime,
    runs: Sequence[RunRow] = (),
) -> CleanupPlan:
    """The plan for these rows. Kinds that the policy leaves out are kept and protect what they use."""
    first = evaluate_forecasts(forecasts, policy, now) if FORECAST in policy.kinds else []
    first += evaluate_runs(runs, policy, now) if FORECAST_RUN in policy.kinds else []
    going = {item.id for item in first if item.is_due}
    # A version may go once its forecasts are gone or, if it is only archived, archived themselves.
    users: list[ForecastRow | RunRow] = [*forecasts, *runs]
    used = {
        row.version
        for row in users
        if row.id not in going and not (policy.should_archive and row.is_archived)
    }
    second = evaluate_versions(versions, used, policy, now) if VERSION in policy.kinds else []
    return CleanupPlan([*first, *second])


def evaluate_forecasts(rows: Sequence[ForecastRow], policy: RetentionPolicy, now: datetime) -> list[PlanItem]:
    """Items of forecasts, oldest first."""
    items, count_rule = [], f"beyond_newest_{policy.max_forecasts}"
    for rank, row in enumerate(sort_newest_first(rows)):
        old = now - row.created > timedelta(days=policy.max_age_days)
        rule = (
            f"older_than_{policy.max_age_days}_days"
            if old
            else count_rule
            if rank >= policy.max_forecasts
            else WITHIN_LIMITS
        )
        items.append(build_item(FORECAST, row, rule, list_protections(row, policy, now), policy))
    return items[::-1]


def evaluate_versions(
    rows: Sequence[VersionRow], used: set[str], policy: RetentionPolicy, now: datetime
) -> list[PlanItem]:
    """Items of versions, oldest first; `used` holds ids of versions that kept forecasts need."""
    items, count_rule = [], f"beyond_newest_{policy.max_versions}_versions"
    for row, rank in rank_by_lineage(rows):
        rule = count_rule if rank >= policy.max_versions else WITHIN_LIMITS
        reasons = [*list_protections(row, policy, now), *(["forecast"] if row.id in used else [])]
        items.append(build_item(VERSION, row, rule, reasons, policy))
    return items[::-1]


def evaluate_runs(rows: Sequence[RunRow], policy: RetentionPolicy, now: datetime) -> list[PlanItem]:
    """Items of forecast runs, oldest first."""
    items, count_rule = [], f"beyond_newest_{policy.max_runs}_runs"
    for row, rank in rank_by_lineage(rows):
        rule = count_rule if rank >= policy.max_runs else WITHIN_LIMITS
        items.append(build_item(FORECAST_RUN, row, rule, list_protections(row, policy, now), policy))
    return items[::-1]


def evaluate_orders(rows: Sequence[VersionRow], policy: RetentionPolicy, now: datetime) -> list[PlanItem]:
    """Items of orders, oldest first; one of which lines were approved may be archived, but is not deleted."""
    items, count_rule = [], f"beyond_newest_{policy.max_orders}_orders"
    for row, rank in rank_by_lineage(rows) if ORDER_RUN in policy.kinds else ():
        rule = count_rule if rank >= policy.max_orders else WITHIN_LIMITS
        reasons = list_protections(row, policy, now)
        if policy.should_archive:
            reasons = [reason for reason in reasons if reason != "approved"]
        items.append(build_item(ORDER_RUN, row, rule, reasons, policy))
    return items[::-1]


def evaluate_sales(rows: Sequence[VersionRow], policy: RetentionPolicy, now: datetime) -> list[PlanItem]:
    """Items of versions of sales, oldest first; none when files are archived, because sales are not.

    What was made from them protects them, so they go by a plan that is made after it has gone.
    """
    items, count_rule = [], f"beyond_newest_{policy.max_sales}_sales"
    has_rule = SALES in policy.kinds and not policy.should_archive
    for row, rank in rank_by_lineage(rows) if has_rule else ():
        rule = count_rule if rank >= policy.max_sales else WITHIN_LIMITS
        items.append(build_item(SALES, row, rule, list_protections(row, policy, now), policy))
    return items[::-1]


def rank_by_lineage(rows: Iterable[VersionRow]) -> Iterator[tuple[Any, int]]:
    """Rows, newest first, each with the number of newer ones of its lineage."""
    seen = Counter[str]()
    for row in sort_newest_first(rows):
        yield row, seen[row.lineage]
        seen[row.lineage] += 1


def sort_newest_first(rows: Iterable[Any]) -> list[Any]:
    """Newest first; ties are broken by id, so that equal rows give equal plans."""
    return sorted(rows, key=lambda row: (row.created, row.id), reverse=True)


def list_protections(row: ArtifactRow, policy: RetentionPolicy, now: datetime) -> list[str]:
    """Everything that protects a row from every rule."""
    young = ["young"] if now - row.created < policy.grace_period else []
    return [*row.protected_by, *young, *(["archived"] if row.is_archived else [])]


def build_item(
    kind: str, row: ArtifactRow, rule: str, reasons: Sequence[str], policy: RetentionPolicy
) -> PlanItem:
    """The item of a row: removed if a rule applies and nothing protects it."""
    is_due = rule != WITHIN_LIMITS and not reasons
    action = (ARCHIVE if policy.should_archive else DELETE) if is_due else KEEP
    size = 0 if row.is_archived else row.size
    return PlanItem(kind, row.id, row.name, action, rule, tuple(dict.fromkeys(reasons)), size)
