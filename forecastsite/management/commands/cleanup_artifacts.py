"""manage.py cleanup_artifacts: forecasts and versions that nobody needs any more go, or into the archive.

Exit codes: 0 done, 2 arguments, 3 partly failed, 4 another one is running, 5 refused by a safety limit,
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

from forecastsite.cleanup import disk_reserve
from forecastsite.cleanup.service import (
    CODES,
    KINDS,
    NOT_BEGUN,
    Limits,
    Outcome,
    carry_out,
    check,
    draw_up,
    to_archive,
)
from registry.lib.cli import whole
from registry.storage.retention import FORECAST, VERSION, Policy

WORDS = {"forecasts": FORECAST, "models": VERSION, **{kind: kind for kind in KINDS}}
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
MANY = 10**9


def kinds(text: str) -> frozenset[str]:
    """
    >>> sorted(kinds("forecasts,models"))
    ['forecast', 'model_version']
    """
    try:
        return frozenset(WORDS[word.strip()] for word in text.split(","))
    except KeyError as word:
        raise ArgumentTypeError(f"{word} is not one of forecasts, models") from None


def seconds(text: str, unit: str = "s") -> float:
    """
    >>> seconds("90"), seconds("10m"), seconds("24", "h")
    (90.0, 600.0, 86400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise ArgumentTypeError(f"{text!r} is not a time such as 24h, 10m or 90s")
    return float(found[1]) * UNITS[found[2] or unit]


def grace(text: str) -> timedelta:
    """Hours, unless another unit is named."""
    return timedelta(seconds=seconds(text, "h"))


def share(text: str) -> str:
    """A number of rows, or a percentage."""
    if not re.fullmatch(r"\d+|\d{1,2}(\.\d+)?%|100%", text):
        raise ArgumentTypeError(f"{text!r} is neither a number of rows nor a share such as 20%")
    return text


class Command(BaseCommand):
    help = "Deletes or archives old forecasts and versions. Without --apply it only says what it would do."

    def add_arguments(self, parser: ArgumentParser) -> None:
        rules = {
            "--keep-days": (settings.KEEP_DAYS, "forecasts younger than so many days stay"),
            "--keep-count": (settings.KEEP_COUNT, "and of these at most the newest so many"),
            "--keep-versions": (settings.KEEP_VERSIONS, "newest versions of each algorithm and scope stay"),
        }
        for name, (default, words) in rules.items():
            parser.add_argument(name, type=whole(MANY), default=default, help=f"{words}; default {default}")
        hours = timedelta(hours=settings.GRACE_HOURS)
        parser.add_argument("--grace", type=grace, default=hours, help="nothing younger goes, such as 24h")
        parser.add_argument("--kind", type=kinds, default=frozenset(KINDS), help="forecasts,models")
        parser.add_argument("--archive", choices=["auto", "require", "never"], default="auto")
        parser.add_argument(
            "--max-delete", type=share, default=None, help="refuse more rows, or such as 20%%"
        )
        parser.add_argument("--expect-plan", default="", metavar="SHA256", help="the plan of a dry run")
        parser.add_argument("--batch", type=whole(10_000), default=200, help="rows in one transaction")
        parser.add_argument("--time-limit", type=seconds, default=None, help="stop after it, such as 10m")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--apply", action="store_true", help="do it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with disk_reserve.opened():
                outcome = self.act(options)
        except NOT_BEGUN as problem:
            raise CommandError(str(problem), returncode=CODES[type(problem)]) from None
        mode = "apply" if options["apply"] else "dry-run"
        say = summary(outcome, options) if not options["json"] else json.dumps(report(outcome, mode))
        self.stdout.write(say)
        if outcome.code:
            raise CommandError(outcome.problem, returncode=outcome.code)

    def act(self, options: dict[str, Any]) -> Outcome:
        policy = Policy(
            days=options["keep_days"],
            count=options["keep_count"],
            versions=options["keep_versions"],
            grace=options["grace"],
            kinds=options["kind"],
            archive=to_archive(options["archive"]),
        )
        limits = Limits(
            most=options["max_delete"] or "",
            expect=options["expect_plan"],
            batch=options["batch"],
            seconds=options["time_limit"],
        )
        if options["apply"]:
            return carry_out(policy, limits)
        found = draw_up(policy)
        check(found, limits)
        return Outcome(found)


def report(outcome: Outcome, mode: str) -> dict[str, Any]:
    """The JSON that scripts read."""
    plan, done = outcome.plan, outcome.done
    counts = {"examined": len(plan.items), **plan.counts()}
    if mode == "apply":
        worked = {"deleted": done["delete"], "archived": done["archive"], "skipped": done["skipped"]}
        counts |= {**worked, "failed": len(outcome.errors), "left": outcome.left}
    return {
        "mode": mode,
        "plan_sha256": plan.sha256,
        "counts": counts,
        "bytes": {**plan.bytes(), "freed": outcome.freed},
        "items": list(plan.rows()),
        "errors": outcome.errors,
    }


def summary(outcome: Outcome, options: dict[str, Any]) -> str:
    """The report for people: what goes line by line, what stays by reason (line by line with -v 2)."""
    plan = outcome.plan
    shown = plan.items if options["verbosity"] > 1 else plan.todo
    lines = [f"{item.action:8}{item.kind:15}{item.bytes:>12}  {item.name}  {item.reason}" for item in shown]
    stays = Counter(item.reason for item in plan.items if not item.goes)
    lines += [f"{number} stay: {reason}" for reason, number in stays.most_common()]
    size = sum(item.bytes for item in plan.todo)
    lines.append(f"{len(plan.todo)} of {len(plan.items)} go, {size} bytes. Plan {plan.sha256}")
    if not options["apply"]:
        return "\n".join([*lines, "Nothing was changed: this was a dry run. --apply does it."])
    done = outcome.done
    lines.append(
        f"Deleted {done['delete']}, archived {done['archive']}, freed {outcome.freed} bytes; "
        f"{done['skipped']} in use by now, {len(outcome.errors)} failed, {outcome.left} left."
    )
    return "\n".join(lines)
