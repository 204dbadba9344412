"""`manage.py up` for real: a first start, a killed training, killed workers, a clean end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecastsite.server.health import is_answering
from tests.helpers.installation import MANAGE, Site, free_port, until
from training.process.exit_reasons import KILLED_TEXT

pytestmark = pytest.mark.processes
PATIENCE = 180  # seconds: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """One installation that was started for the first time; its first training is stopped to save time."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.start()
    yield site
    site.clean_up()


def learning(site: Site, run: str) -> dict | None:
    """The run once its child is at work."""
    row = site.run_row(run)
    return row if row["state"] == "running" and row["step"] in {"prepare", "learn"} else None


def test_the_first_start_makes_an_administrator_a_sample_and_a_training(site):
    found = re.search(r"Sign in as admin with the password (\S+)", site.said())
    assert found
    runs = site.manage("runs")["runs"]
    assert [(run["dataset"], run["scope"], run["algorithm"]) for run in runs] == [("sample", "global", "kan")]
    stored = b"".join(file.read_bytes() for file in Path(site.env["DATA_DIR"]).rglob("*") if file.is_file())
    assert found[1].encode() not in stored


def test_the_web_server_starts_without_torch(site):
    web = next(member for member in site.everybody() if "web" in member.cmdline())
    assert not any("torch" in mapped.path for mapped in web.memory_maps())


def test_a_killed_training_is_tried_once_more_then_fails_with_a_plain_reason(site):
    first = site.manage("runs")["runs"][0]["id"]
    following = site.queue(2)
    for attempt in (1, 2):
        until(PATIENCE, lambda: (row := learning(site, first)) and row["attempt"] == attempt)  # noqa: B023
        os.kill(site.run_row(first)["pid"], signal.SIGKILL)
    row = site.until_state(first, "failed")
    assert (row["error"], row["attempt"], row["version"], row["pid"]) == (KILLED_TEXT, 2, None, None)
    assert site.until_state(following, "done", "failed")["version"] == "kan_product_P001_v1"


def test_a_killed_web_server_comes_back(site):
    web = next(member for member in site.everybody() if "web" in member.cmdline() and member.is_running())
    web.kill()
    until(PATIENCE, lambda: site.said().count("web started") == 2)
    until(PATIENCE, lambda: is_answering(site.port))


@pytest.mark.parametrize(
    ("other", "sentence"),
    [("DATA_DIR", "Port {port} is in use"), ("PORT", "is in use by another `up`")],
)
def test_starting_it_twice_is_one_clear_sentence(site, tmp_path, other, sentence):
    fresh = {"DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    env = {**site.env, other: fresh[other]}
    done = subprocess.run([*MANAGE, "up"], env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert sentence.format(port=site.port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stop_in_the_middle_of_a_training_leaves_no_process_and_the_next_start_goes_on(site):
    run = site.queue(3)
    until(PATIENCE, lambda: learning(site, run))
    site.stop()
    assert site.process.returncode == 0
    assert site.left() == []
    row = site.run_row(run)
    assert (row["state"], row["attempt"]) == ("queued", 0)
    site.words.unlink()
    site.start()
    assert "password" not in site.said()
    assert site.until_state(run, "done", "failed")["state"] == "done"


def test_killing_the_supervisor_leaves_no_process(site):
    run = site.queue(20)
    until(PATIENCE, lambda: learning(site, run))
    site.stop(signal.SIGKILL)
    until(PATIENCE, lambda: not site.left())


def test_a_killed_supervisors_training_is_tried_again_by_the_next_one(site):
    run = next(row["id"] for row in site.manage("runs")["runs"] if row["state"] == "running")
    site.words.unlink()
    site.expire_leases([run])
    site.start()
    row = until(PATIENCE, lambda: (row := site.run_row(run))["attempt"] == 2 and row)
    assert row["state"] == "running"
    site.stop(signal.SIGINT)
    assert site.process.returncode == 0
    assert site.left() == []


def test_draining_lets_the_training_end_and_begins_no_other(site):
    if site.process.poll() is None:
        site.stop()
    site.words.unlink()
    for row in site.manage("runs")["runs"]:
        if row["state"] in {"queued", "running"}:
            site.shell(f"TrainingRun.objects.get(pk='{row['id']}').cancel()")
    site.start(*MANAGE, "up", "--drain")
    run, following = site.queue(4), site.queue(3)
    until(PATIENCE, lambda: learning(site, run))
    site.process.send_signal(signal.SIGTERM)
    until(PATIENCE, lambda: "waiting for running trainings" in site.said())
    assert is_answering(site.port)
    site.everybody()
    assert site.process.wait(PATIENCE) == 0
    assert site.left() == []
    assert [site.run_row(one)["state"] for one in (run, following)] == ["done", "queued"]
