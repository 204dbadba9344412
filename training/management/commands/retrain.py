"""`manage.py retrain`: queues successors of versions in use with the same settings."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry.datasets.models import Dataset
from registry.model_versions.models import ModelVersion
from registry.model_versions.outdated import list_outdated
from training.models import TrainingRun
from training.successors import queue_successor


class Command(BaseCommand):
    help = (
        "Queues trainings that replace versions in use, with the same settings on the newest sales; "
        "a version that turns out worse does not replace the present one."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--all-outdated",
            action="store_true",
            required=True,
            help="all that an earlier release made, or that learned before the newest sales",
        )
        parser.add_argument("--dataset", default="", help="of this dataset only")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["dataset"]
        if name and not Dataset.objects.filter(name=name).exists():
            raise CommandError(f"There is no dataset {name!r}: import it with import_sales.")
        versions = ModelVersion.objects.in_use()
        if name:
            versions = versions.filter(model__dataset__name=name)
        rows = [self.queue(one.version, one.reason_text) for one in list_outdated(versions)]
        if options["json"]:
            self.stdout.write(json.dumps({"outdated": rows}))
            return
        for row in rows:
            end = f"queued as {row['run']}" if row["run"] else row["problem"]
            self.stdout.write(f"{row['dataset']}  {row['version']}: {row['reason']} → {end}")
        if not rows:
            self.stdout.write("Every version in use knows the newest sales, and this release made it.")

    def queue(self, version: ModelVersion, reason: str) -> dict[str, Any]:
        """Queues one successor; what stands against it does not stop the others."""
        row = {"dataset": version.model.dataset.name, "version": version.name, "reason": reason}
        try:
            run: TrainingRun | None = queue_successor(version)
            problem = ""
        except ValueError as error:
            run, problem = None, str(error)
        return row | {"run": str(run.pk) if run else None, "problem": problem}
