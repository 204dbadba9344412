"""manage.py archive_artifacts: moves files to the archive, verifies its copies, restores files.

Exit codes: 0 done, 2 arguments, 3 partly failed, 4 already running, 6 archive unreachable.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from forecastsite.cleanup import disk_reserve
from forecastsite.cleanup.service import (
    EXIT_CODES,
    LOCK_NAME,
    MODELS_BY_KIND,
    NOT_STARTED_ERRORS,
    build_default_policy,
    build_plan,
    get_failure_types,
    should_archive,
)
from prediction.models import RunSums
from registry.lib.locks import exclusive_lock
from registry.model_versions.models import ModelVersion
from registry.storage import archive
from registry.storage.archivable import ArchivableArtifact


class Command(BaseCommand):
    help = "Moves files to the archive (push), verifies its copies (verify), restores files (restore)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["push", "verify", "restore"])
        names = "version names or ids; default: what a clean-up would archive, or everything archived"
        parser.add_argument("names", nargs="*", metavar="NAME", help=names)
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--apply", action="store_true", help="carry it out; verify only reads and needs no --apply"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with disk_reserve.release_reserve():
            self.run_action(options)

    def run_action(self, options: dict[str, Any]) -> None:
        """Selects the rows, processes them with --apply, and reports."""
        self.failures: list[dict[str, str]] = []
        self.done_rows: list[ArchivableArtifact] = []
        acts = options["apply"] or options["action"] == "verify"
        try:
            should_archive("require")
            rows = list(select_rows(options["action"], options["names"]))
            if acts:
                with exclusive_lock(LOCK_NAME):
                    self.process_rows(
                        rows,
                        {"push": push_row, "verify": verify_row, "restore": restore_row}[options["action"]],
                    )
        except NOT_STARTED_ERRORS as problem:
            raise CommandError(str(problem), returncode=EXIT_CODES[type(problem)]) from None
        self.write_report(rows, options, acts)
        if self.failures:
            raise CommandError(
                f"{len(self.failures)} of {len(rows)} failed: {self.failures[0]['error']}", returncode=3
            )

    def process_rows(
        self, rows: list[ArchivableArtifact], work: Callable[[ArchivableArtifact], None]
    ) -> None:
        """Processes each row and collects failures; only an unreachable archive stops."""
        archive.probe_archive()
        for row in rows:
            try:
                work(row)
            except archive.ArchiveUnreachable:
                raise
            except get_failure_types() as problem:
                self.failures.append({**describe_row(row), "error": str(problem)})
            else:
                self.done_rows.append(row)

    def write_report(self, rows: list[ArchivableArtifact], options: dict[str, Any], is_applied: bool) -> None:
        """Prints the report as text or JSON."""
        counts = {"chosen": len(rows), "done": len(self.done_rows), "failed": len(self.failures)}
        report = {
            "action": options["action"],
            "mode": "apply" if is_applied else "dry-run",
            "counts": counts,
            "bytes": sum(row.size for row in rows),
            "items": [describe_row(row) for row in rows],
            "errors": self.failures,
        }
        if options["json"]:
            return self.stdout.write(json.dumps(report))
        lines = [f"{row.KIND:15}{row.size:>12}  {row}  {' '.join(row.locations)}" for row in rows]
        done = f"{options['action']}: {counts['done']} of {counts['chosen']} done, {counts['failed']} failed."
        dry = f"{counts['chosen']} files selected. Dry run: nothing was changed. Use --apply to carry it out."
        return self.stdout.write("\n".join([*lines, done if is_applied else dry]))


def select_rows(action: str, names: list[str]) -> Iterator[ArchivableArtifact]:
    """The named rows; without names what a clean-up would archive, or everything archived."""
    if names:
        for name in names:
            yield find_row(name)
    elif action == "push":
        for item in build_plan(replace(build_default_policy(), should_archive=True)).due_items:
            yield MODELS_BY_KIND[item.kind].objects.get(pk=item.id)
    else:
        gone = {"archived_at__isnull": False} if action == "restore" else {}
        for kind in (*MODELS_BY_KIND.values(), RunSums):
            rows = kind._default_manager.filter(state=kind.State.READY, **gone)
            yield from rows.exclude(archive_address="")


def find_row(name: str) -> ArchivableArtifact:
    """A version by name, or a row by id; raises CommandError."""
    try:
        key = UUID(name)
    except ValueError:
        try:
            return ModelVersion.objects.ready().get_by_name(name)
        except ValueError as problem:
            raise CommandError(str(problem), returncode=2) from None
    for kind in MODELS_BY_KIND.values():
        if found := kind.objects.filter(pk=key).first():
            return found
    raise CommandError(f"No forecast, run or model version has the id {name}.", returncode=2)


def push_row(row: ArchivableArtifact) -> None:
    """Moves the row's file to the archive."""
    row.move_to_archive()


def restore_row(row: ArchivableArtifact) -> None:
    """Restores the row's file."""
    row.restore_file()


def verify_row(row: ArchivableArtifact) -> None:
    """Verifies the archived copy."""
    archive.verify_copy(row.path, row.sha256)


def describe_row(row: ArchivableArtifact) -> dict[str, Any]:
    """The row in JSON."""
    names = {"kind": row.KIND, "id": str(row.pk), "name": str(row)}
    return {**names, "bytes": row.size, "sha256": row.sha256, "address": row.archive_address}
