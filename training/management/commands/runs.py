"""`manage.py runs`: the latest trainings and their state."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from registry.lib.errors import fill_places
from training.models import TrainingRun


def serialize_run(run: TrainingRun) -> dict[str, Any]:
    """A run as scripts read it."""
    return {
        "id": str(run.pk),
        "dataset": run.dataset_version.dataset.name,
        "scope": str(run.scope),
        "algorithm": run.algorithm,
        "state": run.state,
        "step": run.step,
        "progress": run.progress,
        "attempt": run.attempt,
        "pid": run.pid,
        "error": fill_places(run.error, run.error_values),
        "version": run.version.name if run.version else None,
    }


class Command(BaseCommand):
    help = "Lists the latest training runs, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object")
        parser.add_argument("--limit", type=int, default=100, help="how many runs (default 100)")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = TrainingRun.objects.select_related("dataset_version__dataset", "version")
        rows = [serialize_run(run) for run in runs[: options["limit"]]]
        if options["json"]:
            self.stdout.write(json.dumps({"runs": rows}))
            return
        for row in rows:
            end = row["version"] or row["error"]
            what = f"{row['algorithm']} {row['scope']}"
            self.stdout.write(f"{row['id']}  {row['state']:<9} {row['progress']:>4.0%}  {what}  {end}")
