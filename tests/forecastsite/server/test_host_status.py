"""What a probe is told about its host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from io import StringIO

import pytest
from django.core.management import call_command

from forecastsite.server.host_status import HostStatus, StatusFile, read_status
from tests.helpers.source_tree import ROOT


def probe(capsys, *words: str) -> tuple[int, dict]:
    """Exit code and answer of the command."""
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("health", *words, stdout=out)
    return ended.value.code, json.loads(out.getvalue())


@pytest.mark.parametrize(
    ("roles", "problems", "healthy", "ready"),
    [
        ({"light": "ready"}, (), 0, 0),
        ({"light": "ready", "training": "starting"}, (), 0, 1),
        ({"light": "ready", "training": "failing"}, (), 1, 1),
        ({"training": "ready"}, ("The database does not answer.",), 0, 1),
    ],
)
def test_the_exit_code_tells_a_probe_whether_to_restart_and_whether_to_wait(
    settings, capsys, roles, problems, healthy, ready
):
    StatusFile(settings.DATA_DIR).show(HostStatus(roles, problems))
    code, answer = probe(capsys)
    assert (code, answer["roles"], answer["problems"]) == (healthy, roles, list(problems))
    assert probe(capsys, "--ready")[0] == ready


def test_a_host_on_which_nothing_runs_is_not_healthy(settings, capsys):
    code, answer = probe(capsys)
    assert (code, answer["healthy"], answer["roles"]) == (1, False, {})
    assert answer["problems"] == ["`manage.py up` does not run on this host: start it."]
    file = StatusFile(settings.DATA_DIR)
    file.show(HostStatus({"web": "ready"}))
    file.remove()
    assert probe(capsys)[0] == 1


def test_a_supervisor_that_gives_no_sign_of_life_is_not_healthy(settings, monkeypatch):
    file = StatusFile(settings.DATA_DIR)
    file.show(HostStatus({"web": "ready"}))
    os.utime(file.path, (time.time() - 61, time.time() - 61))
    assert read_status(settings.DATA_DIR).problems[0].startswith("`manage.py up` gave no sign of life for 61")
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 6)
    file.show(HostStatus({"web": "ready"}))
    assert read_status(settings.DATA_DIR).is_ready


def test_half_a_status_is_none(settings):
    StatusFile(settings.DATA_DIR).path.write_text("{")
    assert not read_status(settings.DATA_DIR).is_healthy


def test_a_container_asks_without_loading_the_whole_site(settings):
    StatusFile(settings.DATA_DIR).show(HostStatus({"light": "ready"}))
    words = [sys.executable, "-X", "importtime", "-m", "forecastsite.server.host_status", "--ready"]
    environment = {**os.environ, "DATA_DIR": str(settings.DATA_DIR)}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, json.loads(done.stdout)["ready"]) == (0, True)
    assert "django" not in done.stderr
