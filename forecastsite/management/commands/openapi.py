"""manage.py openapi: writes the description of the API, and says what of a change breaks programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

KEPT_FILE = "docs/openapi.json"


class Command(BaseCommand):
    help = "Writes the description of the API (OpenAPI 3.1) into a file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--output", type=Path, default=settings.BASE_DIR / KEPT_FILE)
        parser.add_argument("--break", action="store_true", help="also if it breaks programs")

    def handle(self, *args: Any, **options: Any) -> None:
        from forecastsite.api.contract import find_breaks
        from forecastsite.api.v1 import read_document

        path: Path = options["output"]
        document = read_document()
        breaks = find_breaks(json.loads(path.read_bytes()), json.loads(document)) if path.exists() else []
        if breaks and not options["break"]:
            raise CommandError("\n".join(["This breaks programs (--break writes it anyway):", *breaks]))
        path.write_bytes(document)
        self.stdout.write(f"{path} is up to date.")
