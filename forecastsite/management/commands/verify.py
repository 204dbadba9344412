"""manage.py verify: looks at versions in use and files now, as it is done every night.

Exit codes: 0 all is well, 3 something has changed.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from forecastsite.verification.models import Verification
from forecastsite.verification.nightly import read_libraries, run_verification


class Command(BaseCommand):
    help = "Replays the golden forecasts of the versions in use and compares files with their rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        row = Verification.objects.create(day=timezone.localdate(), libraries=read_libraries())
        while not run_verification(row.pk):
            pass
        row.refresh_from_db()
        facts = {name: getattr(row, name) for name in ("versions", "moved", "files", "damaged", "problems")}
        text = (
            f"{row.versions} versions replayed, {row.moved} changed; {row.files} files, {row.damaged} damaged"
        )
        lines = [f"{name}: {sentence}" for _kind, name, sentence in row.problems]
        self.stdout.write(json.dumps(facts) if options["json"] else "\n".join([*lines, text]))
        if row.moved or row.damaged:
            raise CommandError(f"{row.moved} versions and {row.damaged} files have changed.", returncode=3)
