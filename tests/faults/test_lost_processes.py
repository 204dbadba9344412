"""Two processes learn one network; whichever is killed, the training goes on and ends with one version."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import psutil
import pytest

from tests.helpers.installation import MANAGE, Site, until

pytestmark = pytest.mark.processes
TRAIN = [
    "train",
    "--dataset=sample",
    "--scope=product:P001",
    "--algorithm=kan",
    "--budget=600",
    "--horizon=14",
]
TRAIN += ["--set=steps=200", "--set=batch=64", "--set=width=16", "--processes=2", "--json"]


@pytest.mark.parametrize("joins", [True, pytest.param(False, marks=pytest.mark.repeats)])
def test_a_killed_process_ends_in_going_on_from_the_checkpoint_and_one_version(tmp_path, joins):
    site = Site(tmp_path, TRAINING_THREADS="2")
    site.prepare()
    training = subprocess.Popen([*MANAGE, *TRAIN], env=site.env, stdout=subprocess.PIPE)
    try:
        until(240, lambda: list((tmp_path / "var" / "runs").glob("*/*.safetensors")))
        children = psutil.Process(training.pid).children()
        lost = [child for child in children if ("--join" in child.cmdline()) == joins]
        assert (len(children), len(lost)) == (2, 1)
        os.kill(lost[0].pid, signal.SIGKILL)
        told = json.loads(training.communicate(timeout=400)[0])
    finally:
        training.kill()
    assert training.returncode == 0
    row = site.run_row(told["run"])
    assert (row["state"], row["attempt"]) == ("done", 2)
    texts = site.shell(
        f"print(*TrainingRun.objects.get(pk='{told['run']}').events.values_list('text', flat=True))"
    )
    assert "Training resumed from its last checkpoint." in texts
    count = site.shell("from registry.models import ModelVersion\nprint(ModelVersion.objects.count())")
    assert count.strip() == "1"
    site.clean_up()
