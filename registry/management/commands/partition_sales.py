"""manage.py partition_sales: moves sales that release 0.1 kept in one file for each version into parts.

Exit codes: 0 done, 3 some versions were not moved, 4 it is running already.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from registry.datasets.importing.errors import SalesFileError
from registry.datasets.models import DatasetVersion
from registry.datasets.partition import LOCK_NAME, find_whole_versions, partition_version, remove_left_files
from registry.lib.locks import LockUnavailable, exclusive_lock
from registry.storage.artifacts import CorruptArtifact


class Command(BaseCommand):
    help = (
        "Moves sales of release 0.1, one file for each version, into parts that versions share. "
        "It may be stopped at any time and run again. Without --apply it only lists them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="move them")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(find_whole_versions())
        items, errors = [], []
        try:
            with exclusive_lock(LOCK_NAME):
                for version in found if options["apply"] else []:
                    try:
                        items.append(self.move_version(version))
                    except (SalesFileError, CorruptArtifact, OSError) as problem:
                        errors.append({"name": str(version), "error": str(problem)})
                if options["apply"]:
                    remove_left_files(lambda version: self.stderr.write(f"{version}: its old file is gone."))
        except LockUnavailable as problem:
            raise CommandError(str(problem), returncode=4) from None
        if not options["apply"]:
            items = [{"name": str(version), "rows": version.rows, "bytes": version.size} for version in found]
        self.write_report(items, errors, options)
        if errors:
            raise CommandError(f"{len(errors)} of {len(found)} versions were not moved.", returncode=3)

    def move_version(self, version: DatasetVersion) -> dict[str, Any]:
        """Moves one version and tells what became of it."""
        saved = partition_version(version)
        size = sum(part.size for part in saved.own)
        counts = {"parts": len(saved.all), "shared": len(saved.shared), "written": size}
        return {"name": str(version), "rows": version.rows, "bytes": version.size, **counts}

    def write_report(
        self, items: list[dict[str, Any]], errors: list[dict[str, str]], options: dict[str, Any]
    ) -> None:
        """Prints the report as text or JSON."""
        if options["json"]:
            mode = "apply" if options["apply"] else "dry-run"
            return self.stdout.write(json.dumps({"mode": mode, "items": items, "errors": errors}))
        for item in items:
            moved = (
                "  {parts} parts, {shared} shared, {written} bytes written".format_map(item)
                if ("parts" in item)
                else ""
            )
            self.stdout.write(f"{item['name']}: {item['rows']} rows, {item['bytes']} bytes{moved}")
        for error in errors:
            self.stderr.write(f"{error['name']}: {error['error']}")
        end = " Use --apply to move them." if items and not options["apply"] else ""
        return self.stdout.write(f"{len(items)} version{'' if len(items) == 1 else 's'}.{end}")
