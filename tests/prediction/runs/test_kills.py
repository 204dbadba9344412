"""The process that makes a run is killed at random moments: no run is done without its whole files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.helpers.installation import copy_prepared_folder
from tests.helpers.trials import SEED, repeats

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("count", [1, pytest.param(20, marks=repeats)])
def test_a_killed_run_is_queued_again_or_fails_with_the_reason_and_never_done_in_part(tmp_path: Path, count):
    copy_prepared_folder(tmp_path / "var")
    env = {**os.environ, "DATA_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
    words = [sys.executable, "-m", "tests.helpers.run_kills", str(count), str(SEED)]
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["whole"] == {"stage": "done", "files": 3, "error": ""}
    for trial in report["trials"]:
        for seen in trial["seen"]:
            assert seen["files"] >= 0 and (seen["stage"] != "done" or seen["files"] == 3), (SEED, trial)
        assert set(trial["stages"]) <= {"queued", "failed", "done"}, (SEED, trial)
        end = trial["end"]
        assert end["stage"] in ("done", "failed"), (SEED, trial)
        assert end["files"] == 3 if end["stage"] == "done" else "lost its process twice" in end["error"]
