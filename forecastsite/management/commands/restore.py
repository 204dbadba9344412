"""manage.py restore FOLDER: restores a backup into an empty DATA_DIR."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from forecastsite.backup import BackupError, restore_backup


class Command(BaseCommand):
    help = "Restores a folder made by `backup` into an empty DATA_DIR, after verifying every file."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            manifest = restore_backup(options["folder"].resolve())
        except (BackupError, OSError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(
            f"{len(manifest['files'])} files restored, as of {manifest['made']}. Start: make run"
        )
