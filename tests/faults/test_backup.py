"""A backup made while somebody trains, forecasts and deletes is whole, and forecasts where it is restored."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.conf import settings

from tests.faults.conftest import many
from tests.site import MANAGE, Site, until

pytestmark = pytest.mark.processes


@pytest.fixture
def busy(tmp_path):
    """An installation at work, and the file in which it tells what it made."""
    site, made = Site(tmp_path / "busy"), tmp_path / "made"
    site.prepare()
    with made.open("w") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.churn"],
            cwd=settings.BASE_DIR,
            env={**site.env, "DJANGO_SETTINGS_MODULE": "forecastsite.settings"},
            stdout=stream,
        )
    until(300, lambda: made.read_text().count("\n") > 3)
    yield site, made
    worker.kill()
    worker.wait()


def test_a_backup_of_a_busy_installation_is_whole_and_forecasts(busy, tmp_path, tell):
    site, made = busy
    files = 0
    for number in range(many(1, 10)):
        before, copy = made.read_text().count("\n"), tmp_path / f"copy{number}"
        files += site.manage("backup", str(copy))["files"]
        restored = Site(tmp_path / f"restored{number}")
        done = subprocess.run(
            [*MANAGE, "restore", str(copy)], env=restored.env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert restored.manage("reconcile_artifacts")["items"] == []
        words = ["forecast", "--model=best", "--dataset=sample", "--scope=product:P001", "--horizon=7"]
        assert restored.manage(*words)["total"] > 0
        assert until(120, lambda seen=before: made.read_text().count("\n") > seen)  # the busy one went on
    tell(json.dumps({"backups": number + 1, "files": files, "forecasts made": made.read_text().count("\n")}))
