"""manage.py backup FOLDER: a consistent backup of the running installation."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from forecastsite.backup import BackupError, create_backup
from forecastsite.verification.models import BackupNote
from registry.lib.locks import LockUnavailable


class Command(BaseCommand):
    help = "Copies database and files of the running installation into a new folder, for `restore`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, nargs="?", help="must not exist yet")
        parser.add_argument("--note", metavar="PLACE", help="only note a backup that was made by other means")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["note"]:
            BackupNote.objects.create(place=options["note"][:300])
            return
        if options["folder"] is None:
            raise CommandError("Name a new folder.", returncode=2)
        try:
            manifest = create_backup(options["folder"].resolve())
        except LockUnavailable as problem:
            raise CommandError(str(problem), returncode=4) from None
        except (BackupError, OSError) as problem:
            raise CommandError(str(problem)) from None
        BackupNote.objects.create(place=str(options["folder"])[:300])
        facts = {**manifest, "folder": str(options["folder"]), "files": len(manifest["files"])}
        text = f"{facts['files']} files in {facts['folder']}."
        self.stdout.write(json.dumps(facts) if options["json"] else text)
        if problems := manifest["problems"]:
            first = f"{len(problems)} files were damaged already and are not included, first {problems[0]}."
            raise CommandError(first, returncode=3)
