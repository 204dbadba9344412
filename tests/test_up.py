"""`manage.py up` for real: a first start, a killed training, killed workers, a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from forecastsite.supervisor import answers
from training.process import KILLED

pytestmark = pytest.mark.processes
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(seconds: float, found: Callable[[], object]) -> object:
    """Waits for something true and gives it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if result := found():
            return result
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


class Site:
    """An installation in a folder of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.env = {**os.environ, "DATA_DIR": str(folder / "var"), "PORT": str(self.port), **environment}
        self.env.pop("ADMIN_PASSWORD", None)
        self.words = folder / "words"
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: dict[int, psutil.Process] = {}

    def start(self, *command: str) -> None:
        with self.words.open("ab") as words:
            self.process = subprocess.Popen(
                command or [*MANAGE, "up"],
                cwd=settings.BASE_DIR,
                env=self.env,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )
        until(60, lambda: f"Ready: http://127.0.0.1:{self.port}" in self.said())

    def said(self) -> str:
        return self.words.read_text() if self.words.exists() else ""

    def everybody(self) -> list[psutil.Process]:
        """All processes that this installation has had so far."""
        for member in psutil.Process(self.process.pid).children(recursive=True):
            self.seen[member.pid] = member
        return list(self.seen.values())

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.everybody()
        self.process.send_signal(number)
        self.process.wait(20)

    def left(self) -> list[psutil.Process]:
        return [
            member for member in self.seen.values() if member.is_running() and member.status() != "zombie"
        ]

    def clean_up(self) -> None:
        if self.process and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        for member in self.left():
            member.kill()

    def manage(self, *words: str) -> dict:
        done = subprocess.run(
            [*MANAGE, *words, "--json"], env=self.env, capture_output=True, check=True, text=True
        )
        return json.loads(done.stdout)

    def run_row(self, run: str) -> dict:
        return next(row for row in self.manage("runs")["runs"] if row["id"] == run)

    def queue(self, seconds: int) -> str:
        words = [
            "--dataset=sample",
            "--scope=product:P001",
            "--algorithm=kan",
            f"--budget={seconds}",
            "--queue",
        ]
        return self.manage("train", *words)["run"]

    def until_state(self, run: str, *states: str) -> dict:
        return until(60, lambda: (row := self.run_row(run))["state"] in states and row)


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


def test_a_killed_training_fails_with_a_plain_reason_and_the_next_one_starts(site):
    first = site.manage("runs")["runs"][0]["id"]
    until(60, lambda: learning(site, first))
    following = site.queue(2)
    begun = time.monotonic()
    os.kill(site.run_row(first)["pid"], signal.SIGKILL)
    row = site.until_state(first, "failed")
    assert time.monotonic() - begun < 60
    assert (row["error"], row["attempt"], row["version"], row["pid"]) == (KILLED, 1, None, None)
    assert site.until_state(following, "done", "failed")["version"] == "kan_product_P001_v1"


def test_a_killed_web_server_comes_back(site):
    web = next(member for member in site.everybody() if "web" in member.cmdline() and member.is_running())
    web.kill()
    until(20, lambda: site.said().count("web started") == 2)
    until(20, lambda: answers(site.port))


@pytest.mark.parametrize(
    ("other", "sentence"),
    [("DATA_DIR", "Port {port} is in use"), ("PORT", "is in use by another `up`")],
)
def test_starting_it_twice_is_one_clear_sentence(site, tmp_path, other, sentence):
    fresh = {"DATA_DIR": str(tmp_path), "PORT": str(free_port())}
    env = {**site.env, other: fresh[other]}
    done = subprocess.run([*MANAGE, "up"], env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert sentence.format(port=site.port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stop_in_the_middle_of_a_training_leaves_no_process_and_the_next_start_goes_on(site):
    run = site.queue(3)
    until(60, lambda: learning(site, run))
    site.stop()
    assert site.process.returncode == 0
    assert site.left() == []
    row = site.run_row(run)
    assert (row["state"], row["attempt"]) == ("queued", 0)
    site.words.unlink()
    begun = time.monotonic()
    site.start()
    assert time.monotonic() - begun < 15
    assert "password" not in site.said()
    assert site.until_state(run, "done", "failed")["state"] == "done"


def test_killing_the_supervisor_leaves_no_process(site):
    run = site.queue(20)
    until(60, lambda: learning(site, run))
    site.stop(signal.SIGKILL)
    until(10, lambda: not site.left())


def test_a_killed_supervisors_training_is_tried_again_by_the_next_one(site):
    run = next(row["id"] for row in site.manage("runs")["runs"] if row["state"] == "running")
    site.words.unlink()
    site.start()
    row = until(90, lambda: (row := site.run_row(run))["attempt"] == 2 and row)
    assert row["state"] == "running"
    site.stop(signal.SIGINT)
    assert site.process.returncode == 0
    assert site.left() == []
