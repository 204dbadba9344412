"""manage.py fetch_sources: takes, checks and saves what lies in the sources now."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.datasets.models import Dataset
from registry.datasets.sources.models import Source, SourceFile
from registry.datasets.sources.service import work_off
from registry.datasets.sources.taking import SETTLE
from registry.lib.locks import LockUnavailable

OPEN = (SourceFile.State.SEEN, *SourceFile.OPEN_STATES)
EXIT_HELD = 3


class Command(BaseCommand):
    help = (
        "Looks at the sources, takes complete files, checks them and saves those that lose no rows; exits "
        "with 3 if files are held."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", default="", help="of the dataset of this source only")
        parser.add_argument("--no-wait", action="store_true", help="leave files that are still arriving")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = Source.objects.filter(is_enabled=True)
        if options["source"]:
            sources = sources.filter(name=options["source"])
            if not sources:
                known = ", ".join(Source.objects.values_list("name", flat=True)) or "none"
                raise CommandError(f"There is no such source: there are {known}.", returncode=2)
        begun = list(SourceFile.objects.filter(state__in=OPEN).values_list("pk", flat=True))
        newest = SourceFile.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        datasets = Dataset.objects.filter(pk__in=sources.values("dataset"))
        self.look(datasets, should_wait=not options["no_wait"])
        touched = SourceFile.objects.filter(pk__in=begun) | SourceFile.objects.filter(pk__gt=newest)
        rows = [describe_file(row) for row in touched.select_related("source").order_by("pk")]
        problems = {one.name: one.problem_text for one in sources.all() if one.problem}
        if options["json"]:
            self.stdout.write(json.dumps({"files": rows, "problems": problems}, ensure_ascii=False))
        else:
            for row in rows:
                self.stdout.write("{source}: {file} {state} {reason}".format(**row).rstrip())
            for name, problem in problems.items():
                self.stderr.write(f"{name}: {problem}")
        if any(row["state"] == SourceFile.State.HELD for row in rows):
            raise CommandError("Files are held: open the page of the source.", returncode=EXIT_HELD)

    def look(self, datasets: Any, should_wait: bool) -> None:
        """Works on the sources, and once more if files were still arriving."""
        try:
            for dataset in datasets:
                work_off(dataset)
            if should_wait and SourceFile.objects.filter(state=SourceFile.State.SEEN).exists():
                time.sleep(SETTLE.total_seconds())
                for dataset in datasets:
                    work_off(dataset)
        except LockUnavailable:
            raise CommandError("Another process works on the sources: try again in a minute.") from None


def describe_file(row: SourceFile) -> dict[str, Any]:
    """A file as the report names it."""
    facts = {"source": row.source.name, "file": row.name, "state": row.state, "rows": row.rows}
    return {**facts, "sha256": row.sha256, "reason": row.reason_text}
