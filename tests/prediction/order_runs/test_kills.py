"""Whoever makes, approves or exports an order is killed at random moments: it is one order, ordered once."""

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


@pytest.mark.parametrize("count", [pytest.param(20, marks=repeats)])
def test_an_order_killed_and_clicked_twice_is_one_order_exported_once(tmp_path: Path, count):
    copy_prepared_folder(tmp_path / "var")
    env = {**os.environ, "DATA_DIR": str(tmp_path / "var"), "DJANGO_SETTINGS_MODULE": "forecastsite.settings"}
    words = [sys.executable, "-m", "tests.helpers.order_kills", str(count), str(SEED)]
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["whole"]["is_whole"] and report["whole"]["exported"] == report["whole"]["ordered"] > 0
    for trial in report["trials"]:
        for seen in trial["seen"]:
            assert seen["stage"] != "done" or seen["is_whole"], (SEED, trial)
            assert seen["exported"] == seen["in_files"], (SEED, trial)
        end = trial["end"]
        assert trial["orders"] == 1 and trial["codes"] == [0, 0], (SEED, trial)
        assert end["is_whole"] and end["exported"] == end["in_files"] == end["ordered"], (SEED, trial)
        assert end["files"] == 1, (SEED, trial)
