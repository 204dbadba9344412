"""`manage.py runs`: the latest trainings and their state."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count

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
        parser.add_argument("--group", type=UUID, help="only those that `train --each` queued together")
        parser.add_argument("--stop", action="store_true", help="stop those of the group that have not ended")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = TrainingRun.objects.select_related("dataset_version__dataset", "version")
        if options["group"]:
            runs = runs.filter(group=options["group"])
        elif options["stop"]:
            raise CommandError("--stop needs --group.", returncode=2)
        if options["stop"]:
            for run in runs.exclude(state__in=TrainingRun.ENDED_STATES):
                run.cancel()
        states = dict(runs.order_by().values_list("state").annotate(Count("pk")))
        rows = [serialize_run(run) for run in runs[: options["limit"]]]
        if options["json"]:
            self.stdout.write(json.dumps({"runs": rows, "states": states}))
            return
        for row in rows:
            end = row["version"] or row["error"]
            what = f"{row['algorithm']} {row['scope']}"
            self.stdout.write(f"{row['id']}  {row['state']:<9} {row['progress']:>4.0%}  {what}  {end}")
        if options["group"]:
            self.stdout.write(", ".join(f"{count} {state}" for state, count in sorted(states.items())))
