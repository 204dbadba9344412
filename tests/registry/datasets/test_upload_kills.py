"""The process that checks or saves an upload is killed at random moments: nothing is lost or saved twice."""

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
def test_a_killed_job_is_done_again_or_fails_with_the_reason_and_saves_once(tmp_path: Path, count):
    copy_prepared_folder(tmp_path / "var")
    env = {**os.environ, "DATA_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
    words = [sys.executable, "-m", "tests.helpers.upload_kills", str(count), str(SEED)]
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for trial in report["trials"]:
        ends = [trial[task][-1] for task in ("check", "save") if task in trial]
        assert set(ends) <= {"done", "failed"}, (SEED, trial)
        if ends == ["done", "done"]:
            assert trial["versions"] == 1 and trial["rows"] == [15_120] and not trial["error"], (SEED, trial)
        else:
            assert trial["versions"] == 0 and trial["upload"], (SEED, trial)
            assert "lost twice" in trial["error"], (SEED, trial)
    assert not [name for name in report["folders"] if not name.startswith("import-")], SEED
