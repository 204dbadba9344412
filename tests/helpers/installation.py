"""A whole installation for tests: `manage.py up` in a folder of its own, watched from outside."""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import cache
from pathlib import Path

import psutil

from tests.helpers.source_tree import ROOT

MANAGE = [sys.executable, str(ROOT / "manage.py")]
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


PREPARE = """
import sys
import django
django.setup()
from django.core.management import call_command
name, file, *size = sys.argv[1:]
call_command("migrate", verbosity=0)
call_command("make_sample", *size, f"--output={file}")
call_command("import_sales", file, f"--name={name}")
call_command("createsuperuser", "--noinput", "--email=")
"""
SMALL = (2, 3, 400)
SHARED = "PREPARED_INSTALLATION"


def install_chain(env: dict[str, str], name: str, size: tuple[int, int, int] = SMALL) -> None:
    """So many stores, products and days, and a person, in an installation that was not started yet."""
    size_words = [
        f"--{word}={count}" for word, count in zip(("stores", "products", "days"), size, strict=True)
    ]
    words = [sys.executable, "-c", PREPARE, name, str(Path(env["DATA_DIR"]) / "chain.parquet"), *size_words]
    ours = {"DJANGO_SETTINGS_MODULE": "forecastsite.settings", "DJANGO_SUPERUSER_USERNAME": USER}
    ours["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
    done = subprocess.run(words, cwd=ROOT, env={**env, **ours}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def share_prepared_folder() -> Path:
    """Where such an installation lies: the first process of a run names a folder to those it starts."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="installation-")
        atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)
    return Path(os.environ[SHARED])


@cache
def prepared_folder() -> Path:
    """Its data folder, made once for all tests and all workers of xdist."""
    folder = share_prepared_folder()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the others wait for the first
        if not (folder / "made").exists():
            install_chain({**os.environ, "DATA_DIR": str(folder / "var"), "DATABASE_URL": ""}, "sample")
            (folder / "made").touch()
    return folder / "var"


def copy_prepared_folder(folder: Path, name: str = "sample") -> None:
    """The same in that folder; the dataset has this name."""
    shutil.copytree(prepared_folder(), folder, dirs_exist_ok=True)
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database, database:
        database.execute("UPDATE registry_dataset SET name = ?", [name])


class Site:
    """An installation in a folder of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        self.env = {**os.environ, "DATA_DIR": str(folder / "var"), "PORT": str(self.port), **environment}
        self.env.pop("ADMIN_PASSWORD", None)
        self.words = folder / "words"
        self.process: subprocess.Popen[bytes] | None = None
        self.started: list[subprocess.Popen[bytes]] = []
        self.inside: subprocess.Popen[str] | None = None
        self.seen: dict[int, psutil.Process] = {}

    def prepare(self, name: str = "sample") -> None:
        """A small chain and a person before the first start, so that it trains nothing by itself."""
        if {"DATABASE_URL", "ARTIFACT_STORE"} & {key for key, value in self.env.items() if value}:
            install_chain(self.env, name)
        else:
            copy_prepared_folder(Path(self.env["DATA_DIR"]), name)

    def start(self, *command: str) -> None:
        with self.words.open("ab") as words:
            self.process = subprocess.Popen(
                command or [*MANAGE, "up"],
                cwd=ROOT,
                env=self.env,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )
        self.started.append(self.process)
        until(180, lambda: "Ready: " in self.said())

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

    def orphans(self) -> list[psutil.Process]:
        """Processes of this installation that live although the supervisor has lost them."""
        own = set(psutil.Process(self.process.pid).children(recursive=True))
        return [member for member in self.left() if member not in own]

    def clean_up(self) -> None:
        for process in self.started:  # after a failure there may be more than one
            if process.poll() is None:
                self.process = process
                self.stop(signal.SIGKILL)
        for member in self.left():
            member.kill()
        if self.inside:
            self.inside.kill()
            self.inside.communicate()

    def manage(self, *words: str) -> dict:
        done = subprocess.run(
            [*MANAGE, *words, "--json"], env=self.env, capture_output=True, check=True, text=True
        )
        return json.loads(done.stdout)

    def shell(self, program: str) -> str:
        """Runs some Python inside the installation and gives what it printed."""
        if self.inside is None or self.inside.poll() is not None:
            self.inside = self.reach_inside()
        self.inside.stdin.write(json.dumps(program) + "\n")
        self.inside.stdin.flush()
        answer = json.loads(self.inside.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer["said"]

    def reach_inside(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.helpers.remote_shell"],
            cwd=ROOT,
            env={**self.env, "DJANGO_SETTINGS_MODULE": "forecastsite.settings"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def runs(self, *wanted: str) -> dict[str, dict]:
        """These runs, or all that are not over, by id and in the words of `manage.py runs`."""
        program = "import json\nfrom training.management.commands.runs import serialize_run\n"
        program += "rows = TrainingRun.objects.select_related('dataset_version__dataset', 'version')\n"
        which = f"pk__in={list(wanted)}" if wanted else "finished_at=None"
        said = self.shell(f"{program}print(json.dumps([serialize_run(row) for row in rows.filter({which})]))")
        return {row["id"]: row for row in json.loads(said)}

    def run_row(self, run: str) -> dict:
        return self.runs(run)[run]

    def queue(self, seconds: int, algorithm: str = "kan") -> str:
        words = ["train", "--dataset=sample", "--scope=product:P001", f"--algorithm={algorithm}"]
        words += [f"--budget={seconds}", "--queue", "--json"]
        program = f"from django.core.management import call_command\ncall_command(*{words})"
        return json.loads(self.shell(program))["run"]

    def expire_leases(self, runs: Iterable[str]) -> None:
        """As if half a minute had passed since the last heartbeat of their workers."""
        rows = f"TrainingRun.objects.filter(pk__in={list(runs)}, state='running')"
        self.shell(f"from django.utils import timezone\n{rows}.update(lease_until=timezone.now())")

    def cancel(self, runs: Iterable[str]) -> None:
        """Stops them, whatever they do."""
        self.shell(f"for run in TrainingRun.objects.filter(pk__in={list(runs)}): run.cancel()")

    def cancel_all(self) -> None:
        """An installation with nothing to do."""
        self.cancel(self.runs())
        until(90, lambda: not self.runs())

    def until_state(self, run: str, *states: str, seconds: float = 180) -> dict:
        return until(seconds, lambda: (row := self.run_row(run))["state"] in states and row)
