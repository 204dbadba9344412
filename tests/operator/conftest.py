"""An installation to clean up, and what tells whether anything in it changed."""

from __future__ import annotations

import hashlib
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core import serializers
from django.core.management import call_command
from django.core.management.base import CommandError

from prediction.models import Forecast
from registry.model_versions.models import ForecastModel, ModelVersion
from registry.storage.tombstones import Tombstone
from tests.helpers import small_files

TABLES = (ModelVersion, Forecast, ForecastModel, Tombstone)


@pytest.fixture
def stocked(db) -> dict[str, list]:
    return small_files.fill()


@pytest.fixture
def fingerprint(artifact_folder):
    """A hash over tables and files: equal before and after = nothing changed."""

    def take(*folders: Path) -> str:
        digest = hashlib.sha256()
        for table in TABLES:
            digest.update(serializers.serialize("json", table.objects.order_by("pk")).encode())
        for folder in (artifact_folder, *folders):
            for path in sorted(folder.rglob("*")):
                digest.update(str(path.relative_to(folder)).encode())
                digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()

    return take


@pytest.fixture
def manage():
    """Runs a command with --json and gives its exit code and its JSON."""

    def run(*words: str) -> tuple[int, dict]:
        out, code = StringIO(), 0
        try:
            call_command(*words, "--json", stdout=out)
        except CommandError as problem:
            code = problem.returncode
            print(problem)
        return code, json.loads(out.getvalue() or "{}")

    return run
