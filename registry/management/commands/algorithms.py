"""manage.py algorithms: lists the algorithms and verifies model versions against their golden forecasts."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.model_versions.models import ModelVersion
from registry.model_versions.replay import replay_golden


class Command(BaseCommand):
    """Lists algorithms or verifies model versions."""

    help = "Lists the algorithms and their settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--verify", action="store_true", help="replay the golden forecast of every model version"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verify"]:
            self.verify_versions(options["json"])
            return
        from registry import algorithms

        rows: list[dict[str, Any]] = [
            {
                "name": entry.name,
                "label": entry.label,
                "description": entry.description,
                "settings": [
                    {**knob, "type": knob["type"].__name__} for knob in algorithms.describe_knobs(entry.name)
                ],
            }
            for entry in algorithms.list_algorithms()
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"algorithms": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['name']:<20} {row['description']}")
            for knob in row["settings"]:
                self.stdout.write(f"    --set {knob['name']}={knob['default']:<10} {knob['help']}")

    def verify_versions(self, as_json: bool) -> None:
        """Reports for every ready version whether it still reproduces its golden forecast."""
        rows = [
            {"name": version.name, **vars(replay_golden(version))}
            for version in ModelVersion.objects.ready().filter(archived_at=None).order_by("created_at")
        ]
        if as_json:
            self.stdout.write(json.dumps({"versions": rows}))
        else:
            for row in rows:
                self.stdout.write(f"{row['name']:<30} {row['problem'] or 'unchanged'}")
        moved = [row["name"] for row in rows if row["problem"]]
        if moved:
            raise CommandError(f"{len(moved)} of {len(rows)} versions have problems: {', '.join(moved[:5])}.")
