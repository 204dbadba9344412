"""manage.py cleanup_artifacts: deletes or archives what is no longer needed.

Exit codes: 0 done, 2 arguments, 3 partly failed, 4 already running, 5 refused by a safety limit,
6 archive unreachable.
"""

from __future__ import annotations

import json
import re
from argparse import ArgumentParser, ArgumentTypeError
from collections import Counter
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from forecastsite.cleanup.limits import Limits
from forecastsite.cleanup.outcome import CleanupOutcome
from forecastsite.cleanup.service import (
    EXIT_CODES,
    KINDS,
    NOT_STARTED_ERRORS,
    preview_cleanup,
    run_cleanup,
    should_archive,
)
from registry.lib.cli import build_int_type
from registry.storage.retention import FORECAST, FORECAST_RUN, ORDER_RUN, SALES, VERSION, RetentionPolicy

KIND_WORDS = {
    "orders": ORDER_RUN,
    "forecasts": FORECAST,
    "runs": FORECAST_RUN,
    "models": VERSION,
    "sales": SALES,
}
KIND_WORDS |= {kind: kind for kind in KINDS}
SECONDS_PER_UNIT = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_NUMBER = 10**9


def parse_kinds(text: str) -> frozenset[str]:
    """Kinds from comma-separated words.

    >>> sorted(parse_kinds("forecasts,models"))
    ['forecast', 'model_version']
    """
    try:
        return frozenset(KIND_WORDS[word.strip()] for word in text.split(","))
    except KeyError as word:
        raise ArgumentTypeError(f"{word} is not one of forecasts, runs, models, sales") from None


def parse_seconds(text: str, unit: str = "s") -> float:
    """Seconds from a number with an optional unit; `unit` is the default.

    >>> parse_seconds("90"), parse_seconds("10m"), parse_seconds("24", "h")
    (90.0, 600.0, 86400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is not a time such as 24h, 10m or 90s")
    return float(found[1]) * SECONDS_PER_UNIT[found[2] or unit]


def parse_grace(text: str) -> timedelta:
    """A duration, in hours unless another unit is given."""
    return timedelta(seconds=parse_seconds(text, "h"))


def parse_max_delete(text: str) -> str:
    """A number of rows or a percentage, unchanged."""
    if not re.fullmatch(r"\d+|\d{1,2}(\.\d+)?%|100%", text):
        raise ArgumentTypeError(f"{text!r} is neither a number of rows nor a share such as 20%")
    return text


class Command(BaseCommand):
    help = "Deletes or archives old forecasts, runs, versions and sales; without --apply it only says which."

    def add_arguments(self, parser: ArgumentParser) -> None:
        rules = {
            "--keep-days": (settings.KEEP_DAYS, "keep forecasts younger than this many days"),
            "--keep-count": (settings.KEEP_COUNT, "keep at most this many of them, the newest"),
            "--keep-versions": (
                settings.KEEP_VERSIONS,
                "keep this many versions of each algorithm and scope",
            ),
            "--keep-runs": (settings.KEEP_RUNS, "keep this many forecast runs of each dataset"),
            "--keep-orders": (settings.KEEP_ORDERS, "keep this many orders of each dataset"),
            "--keep-sales": (settings.KEEP_SALES, "keep this many versions of the sales of each dataset"),
        }
        for name, (default, words) in rules.items():
            parser.add_argument(
                name, type=build_int_type(MAX_NUMBER), default=default, help=f"{words}; default {default}"
            )
        hours = timedelta(hours=settings.GRACE_HOURS)
        parser.add_argument(
            "--grace", type=parse_grace, default=hours, help="remove nothing younger than this, such as 24h"
        )
        parser.add_argument(
            "--kind", type=parse_kinds, default=frozenset(KINDS), help="orders,forecasts,runs,models,sales"
        )
        parser.add_argument("--archive", choices=["auto", "require", "never"], default="auto")
        parser.add_argument(
            "--max-delete",
            type=parse_max_delete,
            default=None,
            help="refuse to remove more rows (a number or a share such as 20%%)",
        )
        parser.add_argument("--expect-plan", default="", metavar="SHA256", help="carry out this plan only")
        parser.add_argument(
            "--batch", type=build_int_type(10_000), default=200, help="rows in one transaction"
        )
        parser.add_argument(
            "--time-limit", type=parse_seconds, default=None, help="stop after this time, such as 10m"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--apply", action="store_true", help="carry out the plan")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcome = self.preview_or_run(options)
        except NOT_STARTED_ERRORS as problem:
            raise CommandError(str(problem), returncode=EXIT_CODES[type(problem)]) from None
        mode = "apply" if options["apply"] else "dry-run"
        text = (
            format_summary(outcome, options)
            if not options["json"]
            else json.dumps(build_report(outcome, mode))
        )
        self.stdout.write(text)
        if outcome.exit_code:
            raise CommandError(outcome.failure_sentence, returncode=outcome.exit_code)

    def preview_or_run(self, options: dict[str, Any]) -> CleanupOutcome:
        policy = RetentionPolicy(
            max_age_days=options["keep_days"],
            max_forecasts=options["keep_count"],
            max_versions=options["keep_versions"],
            max_runs=options["keep_runs"],
            max_sales=options["keep_sales"],
            max_orders=options["keep_orders"],
            grace_period=options["grace"],
            kinds=options["kind"],
            should_archive=should_archive(options["archive"]),
        )
        limits = Limits(
            max_delete=options["max_delete"] or "",
            expected_sha256=options["expect_plan"],
            batch_size=options["batch"],
            time_limit=options["time_limit"],
        )
        return run_cleanup(policy, limits) if options["apply"] else preview_cleanup(policy, limits)


def build_report(outcome: CleanupOutcome, mode: str) -> dict[str, Any]:
    """The report for --json."""
    plan, done = outcome.plan, outcome.counts
    counts = {"examined": len(plan.items), **plan.count_by_action()}
    if mode == "apply":
        worked = {"deleted": done["delete"], "archived": done["archive"], "skipped": done["skipped"]}
        counts |= {**worked, "failed": len(outcome.failures), "left": outcome.left_count}
    return {
        "mode": mode,
        "plan_sha256": plan.sha256,
        "counts": counts,
        "bytes": {**plan.bytes_by_action(), "freed": outcome.freed_bytes},
        "items": list(plan.iter_rows()),
        "errors": outcome.failures,
    }


def format_summary(outcome: CleanupOutcome, options: dict[str, Any]) -> str:
    """The report for people: removed items one by one, kept ones by reason (one by one with -v 2)."""
    plan = outcome.plan
    shown = plan.items if options["verbosity"] > 1 else plan.due_items
    lines = [f"{item.action:8}{item.kind:15}{item.bytes:>12}  {item.name}  {item.reason}" for item in shown]
    kept = Counter(item.reason for item in plan.items if not item.is_due)
    lines += [f"{number} kept: {reason}" for reason, number in kept.most_common()]
    size = sum(item.bytes for item in plan.due_items)
    lines.append(f"{len(plan.due_items)} of {len(plan.items)} to remove, {size} bytes. Plan {plan.sha256}")
    if not options["apply"]:
        return "\n".join([*lines, "Dry run: nothing was changed. Use --apply to carry out the plan."])
    done = outcome.counts
    lines.append(
        f"Deleted {done['delete']}, archived {done['archive']}, freed {outcome.freed_bytes} bytes; "
        f"{done['skipped']} skipped (in use), {len(outcome.failures)} failed, {outcome.left_count} left."
    )
    return "\n".join(lines)
