"""manage.py algorithms: what can be learned with, and its settings."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Lists every algorithm that was found."""

    help = "Lists the algorithms and their settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        from registry import algorithms

        rows: list[dict[str, Any]] = [
            {
                "name": entry.name,
                "label": entry.label,
                "description": entry.description,
                "settings": [
                    {**knob, "type": knob["type"].__name__} for knob in algorithms.knobs(entry.name)
                ],
            }
            for entry in algorithms.entries()
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"algorithms": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['name']:<20} {row['description']}")
            for knob in row["settings"]:
                self.stdout.write(f"    --set {knob['name']}={knob['default']:<10} {knob['help']}")
