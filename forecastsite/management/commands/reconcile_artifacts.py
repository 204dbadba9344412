"""manage.py reconcile_artifacts: finds and repairs mismatches between rows and files.

Exit codes: 0 no mismatches or all repaired, 2 arguments, 3 some are left, 4 a clean-up is running, 5 refused.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models.functions import Now

from forecastsite.cleanup.inventory import runs_without_files, versions_in_training
from forecastsite.cleanup.service import LOCK_NAME, get_failure_types
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.storage.reconcile import Finding, is_store_missing, iter_findings
from training.leases import expire_run
from training.models import TrainingRun

STORE_MISSING_TEXT = (
    "Most files are missing: is the folder or bucket available? Nothing was changed; --force repairs anyway."
)


class Command(BaseCommand):
    help = "Finds orphans, missing or changed files, and stuck states. --apply repairs them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-hashes", action="store_true", help="compare sizes only, which is faster")
        parser.add_argument("--force", action="store_true", help="repair even if most files are missing")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--apply", action="store_true", help="repair the findings")

    def handle(self, *args: Any, **options: Any) -> None:
        found = [
            *iter_findings(not options["no_hashes"], versions_in_training() | runs_without_files()),
            *find_stuck_runs(),
        ]
        errors: list[dict[str, str]] = []
        if options["apply"]:
            if is_store_missing(found) and not options["force"]:
                raise CommandError(STORE_MISSING_TEXT, returncode=5)
            try:
                with exclusive_lock(LOCK_NAME):
                    errors = [error for one in found if (error := repair_finding(one))]
            except LockUnavailable as problem:
                raise CommandError(str(problem), returncode=4) from None
        left = len(errors) if options["apply"] else len(found)
        self.write_report(found, errors, options)
        if left:
            raise CommandError(f"{left} of {len(found)} findings are not repaired.", returncode=3)

    def write_report(
        self, found: list[Finding], failures: list[dict[str, str]], options: dict[str, Any]
    ) -> None:
        """Prints the report as text or JSON."""
        counts = Counter(one.problem for one in found)
        mode = "apply" if options["apply"] else "dry-run"
        if options["json"]:
            items = [one.to_dict() for one in found]
            report = {"mode": mode, "counts": counts, "items": items, "errors": failures}
            return self.stdout.write(json.dumps(report))
        lines = [f"{one.problem:15}{one.kind:16}{one.remedy:14}{one.name}" for one in found]
        lines += [f"failed: {error['name']}: {error['error']}" for error in failures]
        result = " Repaired." if options["apply"] else " Use --apply to repair them."
        return self.stdout.write("\n".join([*lines, f"{len(found)} findings.{result if found else ''}"]))


def find_stuck_runs() -> Iterator[Finding]:
    """Yields running trainings whose lease has expired."""
    silent = TrainingRun.objects.filter(state=TrainingRun.State.RUNNING, lease_until__lt=Now())
    for run in silent:
        yield Finding(
            "training_run",
            str(run.pk),
            str(run),
            "stuck_running",
            "requeue_or_fail",
            partial(expire_run, run),
        )


def repair_finding(finding: Finding) -> dict[str, str] | None:
    """Repairs a finding; returns the error in JSON, or None."""
    try:
        finding.repair()
    except get_failure_types() as problem:
        return {**finding.to_dict(), "error": str(problem)}
    return None
