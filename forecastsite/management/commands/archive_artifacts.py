"""manage.py archive_artifacts: files into the archive, back again, or compared with what was saved.

Exit codes: 0 done, 2 arguments, 3 partly failed, 4 another one is running, 6 archive unreachable.
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
    CODES,
    FAILURES,
    KINDS,
    LOCK,
    NOT_BEGUN,
    default_policy,
    draw_up,
    to_archive,
)
from prediction.models import Forecast
from registry.lib.locks import alone
from registry.model_versions.models import ModelVersion
from registry.storage import archive

Row = Forecast | ModelVersion


class Command(BaseCommand):
    help = "Moves files to the archive (push), compares its copies (verify), brings files back (restore)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["push", "verify", "restore"])
        what = "names of versions or ids; without any: what a clean-up would take, or all that is archived"
        parser.add_argument("names", nargs="*", metavar="NAME", help=what)
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--apply", action="store_true", help="do it; verify only reads and needs no --apply"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with disk_reserve.opened():
            self.act(options)

    def act(self, options: dict[str, Any]) -> None:
        self.errors: list[dict[str, str]] = []
        self.done: list[Row] = []
        acts = options["apply"] or options["action"] == "verify"
        try:
            to_archive("require")
            rows = list(chosen(options["action"], options["names"]))
            if acts:
                with alone(LOCK):
                    self.work_off(
                        rows, {"push": push, "verify": verify, "restore": restore}[options["action"]]
                    )
        except NOT_BEGUN as problem:
            raise CommandError(str(problem), returncode=CODES[type(problem)]) from None
        self.tell(rows, options, acts)
        if self.errors:
            raise CommandError(
                f"{len(self.errors)} of {len(rows)} failed: {self.errors[0]['error']}", returncode=3
            )

    def work_off(self, rows: list[Row], work: Callable[[Row], None]) -> None:
        """An archive that does not answer stops it; any other error is told at the end."""
        archive.probe()
        for row in rows:
            try:
                work(row)
            except archive.ArchiveUnreachable:
                raise
            except FAILURES as problem:
                self.errors.append({**facts(row), "error": str(problem)})
            else:
                self.done.append(row)

    def tell(self, rows: list[Row], options: dict[str, Any], acts: bool) -> None:
        counts = {"chosen": len(rows), "done": len(self.done), "failed": len(self.errors)}
        report = {
            "action": options["action"],
            "mode": "apply" if acts else "dry-run",
            "counts": counts,
            "bytes": sum(row.size for row in rows),
            "items": [facts(row) for row in rows],
            "errors": self.errors,
        }
        if options["json"]:
            return self.stdout.write(json.dumps(report))
        lines = [f"{row.KIND:15}{row.size:>12}  {row}  {' '.join(row.places)}" for row in rows]
        done = f"{options['action']}: {counts['done']} of {counts['chosen']} done, {counts['failed']} failed."
        dry = f"{counts['chosen']} files chosen. Nothing was changed: this was a dry run. --apply does it."
        return self.stdout.write("\n".join([*lines, done if acts else dry]))


def chosen(action: str, names: list[str]) -> Iterator[Row]:
    """The named rows; without names what a clean-up would archive, or all that the archive holds."""
    if names:
        for name in names:
            yield named(name)
    elif action == "push":
        for item in draw_up(replace(default_policy(), archive=True)).todo:
            yield KINDS[item.kind].objects.get(pk=item.id)
    else:
        gone = {"archived_at__isnull": False} if action == "restore" else {}
        for kind in KINDS.values():
            yield from kind.objects.filter(state=kind.State.READY, **gone).exclude(archive_address="")


def named(name: str) -> Row:
    """A version by its name, or anything by its id; raises CommandError."""
    try:
        key = UUID(name)
    except ValueError:
        try:
            return ModelVersion.objects.ready().named(name)
        except ValueError as problem:
            raise CommandError(str(problem), returncode=2) from None
    for kind in KINDS.values():
        if found := kind.objects.filter(pk=key).first():
            return found
    raise CommandError(f"There is no file with the id {name}.", returncode=2)


def push(row: Row) -> None:
    row.archive()


def restore(row: Row) -> None:
    row.restore()


def verify(row: Row) -> None:
    archive.check(row.path, row.sha256)


def facts(row: Row) -> dict[str, Any]:
    """An item as JSON knows it."""
    names = {"kind": row.KIND, "id": str(row.pk), "name": str(row)}
    return {**names, "bytes": row.size, "sha256": row.sha256, "address": row.archive_address}
