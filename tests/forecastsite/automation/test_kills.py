"""Schedules whose worker is killed with SIGKILL at each of their steps: each run ends once and whole."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.helpers.installation import Site
from tests.helpers.source_tree import ROOT
from tests.helpers.trials import SEED, many, repeats

ONE_OF_EACH = {"versions": 1, "files": 1, "trainings": 1, "forecasts": 1, "orders": 1}


@repeats
@pytest.mark.processes
def test_a_run_ends_once_and_whole_wherever_its_worker_is_killed(tmp_path):
    site, count = Site(tmp_path, TRAINING_THREADS="1"), many(1, 10)
    site.prepare()
    words = [sys.executable, "-m", "tests.helpers.plan_kills", str(count), str(SEED)]
    done = subprocess.run(words, cwd=ROOT, env=site.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for trial in told["trials"]:
        assert trial["stage"] == "done" and trial["deaths"] == 1, trial
        assert trial["more"] == ONE_OF_EACH and not trial["left"], trial
        assert {state for state, _text in trial["states"].values()} == {"done"}, trial
    killed = Counter((trial["step"], trial["moment"]) for trial in told["trials"])
    print(f"{len(told['trials'])} runs, {told['mails']}, {told['seconds']:.0f} s: {dict(killed)}")
    assert told["mails"]["seen"] == len(told["trials"])
