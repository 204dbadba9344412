"""A backup made while somebody trains, forecasts and deletes is whole, and forecasts where it is restored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.conf import settings

from tests.helpers.installation import MANAGE, Site, until

pytestmark = pytest.mark.processes


@pytest.fixture
def busy(tmp_path):
    """An installation at work, and the file in which it tells what it made."""
    site, made = Site(tmp_path / "busy"), tmp_path / "made"
    site.prepare()
    with made.open("w") as stream:
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.load_generator"],
            cwd=settings.BASE_DIR,
            env={**site.env, "DJANGO_SETTINGS_MODULE": "forecastsite.settings"},
            stdout=stream,
        )
    until(300, lambda: made.read_text().count("\n") > 3)
    yield site, made
    worker.kill()
    worker.wait()


def test_a_backup_of_a_busy_installation_is_whole_and_forecasts(busy, tmp_path, tally):
    site, made = busy

    def trial(_chance) -> dict:
        before, copy = made.read_text().count("\n"), Path(mkdtemp(dir=tmp_path)) / "copy"
        files = site.manage("backup", str(copy))["files"]
        restored = Site(copy.parent / "restored")
        words = [*MANAGE, "restore", str(copy)]
        done = subprocess.run(words, env=restored.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found = restored.manage("reconcile_artifacts", "--apply")["items"]
        assert {item["problem"] for item in found} <= {"stuck_deleting"}, found  # caught half deleted
        assert restored.manage("reconcile_artifacts")["items"] == []
        words = ["forecast", "--model=best", "--dataset=sample", "--scope=product:P001", "--horizon=7"]
        assert restored.manage(*words)["total"] > 0
        until(300, lambda: made.read_text().count("\n") > before)  # the busy one went on
        return {"files": files}

    trials = tally(
        "backup while somebody trains, forecasts, deletes: restored, sound, forecasts", 1, 10, "sqlite"
    )
    trials.attempt(trial)
