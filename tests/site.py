"""A whole installation for tests: `manage.py up` in a folder of its own, watched from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from django.conf import settings

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]


USER, PASSWORD = "buyer", "a long enough one"


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

    def prepare(self) -> None:
        """A small chain and a person before the first start, so that it trains nothing by itself."""
        file = str(Path(self.env["DATA_DIR"]) / "chain.parquet")
        person = {"DJANGO_SUPERUSER_USERNAME": USER, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
        for words in (
            ["migrate", "-v0"],
            ["make_sample", "--stores=2", "--products=3", "--days=300", f"--output={file}"],
            ["import_sales", file, "--name=sample"],
            ["createsuperuser", "--noinput", "--email="],
        ):
            done = subprocess.run(
                [*MANAGE, *words], env={**self.env, **person}, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr

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

    def shell(self, program: str) -> str:
        """Runs a line of Python inside the installation and gives what it printed."""
        words = [*MANAGE, "shell", "-v0", "-c", f"from training.models import TrainingRun\n{program}"]
        done = subprocess.run(words, env=self.env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run_row(self, run: str) -> dict:
        return next(row for row in self.manage("runs")["runs"] if row["id"] == run)

    def queue(self, seconds: int, algorithm: str = "kan") -> str:
        words = [
            "--dataset=sample",
            "--scope=product:P001",
            f"--algorithm={algorithm}",
            f"--budget={seconds}",
            "--queue",
        ]
        return self.manage("train", *words)["run"]

    def until_state(self, run: str, *states: str, seconds: float = 60) -> dict:
        return until(seconds, lambda: (row := self.run_row(run))["state"] in states and row)
