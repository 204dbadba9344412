"""Faults on real processes. A few of each in `make test`; `make faults` does them all and prints its seed.

FAULTS=full        every trial and not a few;        FAULTS_SHARE=0.1    a tenth of them
FAULTS_ON=postgresql   on a PostgreSQL of its own;   FAULTS_SEED=7       the same chances again
FAULTS_REPORT=file     keeps what was seen: called again it goes on where it was interrupted
"""

from __future__ import annotations

import os
import pwd
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.results import Tally
from tests.helpers.installation import Site, free_port

FULL = os.environ.get("FAULTS") == "full"
SHARE = float(os.environ.get("FAULTS_SHARE", "1"))
ON = os.environ.get("FAULTS_ON", "sqlite")
SEED = int(os.environ.get("FAULTS_SEED", random.randrange(10**6)))


def many(quick: int, full: int) -> int:
    """How often, in the quick run and in the full one."""
    return max(1, round(full * SHARE)) if FULL else quick


def only_if(true: bool, reason: str) -> Callable:
    """A test that needs what not every machine has. In CI, where nothing may skip, it is not there at all."""
    if true:
        return lambda test: test
    return (lambda test: None) if os.environ.get("CI") == "true" else pytest.mark.skip(reason=reason)


@pytest.fixture
def tally() -> Callable[[str, int, int], Tally]:
    """Counts the trials of a fault: its words, how many in the quick run, how many in the full one."""
    report = os.environ.get("FAULTS_REPORT")

    def start(fault: str, quick: int, full: int, on: str = ON) -> Tally:
        return Tally(f"{fault} ({on})", many(quick, full), SEED, Path(report) if report else None)

    return start


def postgres() -> str | None:
    """The folder of PostgreSQL's programs, if there is one here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    path = str(found[0]) if found else shutil.which("initdb")
    return str(Path(path).parent) if path else None


@contextmanager
def serving() -> Iterator[str]:
    """A PostgreSQL of its own; its address. Not below pytest's folder: the next pytest shuts that."""
    programs, port, person = postgres(), free_port(), {}
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            somebody = pwd.getpwnam("nobody")
            person = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
            os.chown(folder, somebody.pw_uid, somebody.pw_gid)
        data = folder / "data"
        init = [f"{programs}/initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, cwd=folder, **person)
        serve = [f"{programs}/postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"]
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(serve, cwd=folder, stdout=log, stderr=log, **person)
        try:
            wait_for(f"{programs}/pg_isready", port)
            yield f"postgres://app@127.0.0.1:{port}/postgres"
        finally:
            running.terminate()
            running.wait(20)


def wait_for(is_ready: str, port: int) -> None:
    """Until the server answers, half a minute at most."""
    ready = [is_ready, "-h", "127.0.0.1", "-p", str(port), "-U", "app", "-t", "1"]
    end = time.monotonic() + 30
    while subprocess.run(ready, capture_output=True).returncode and time.monotonic() < end:
        time.sleep(0.2)


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[Site]:
    """A started installation with the small chain in it and nothing to do, on the database of FAULTS_ON."""
    if ON == "postgresql" and "DATABASE_URL" not in environment:
        with serving() as address, started(folder, DATABASE_URL=address, **environment) as site:
            yield site
        return
    key = {"SECRET_KEY": "k" * 40} if "DATABASE_URL" in environment else {}
    site = Site(folder, WAITING_PER_USER="1000", **key, **environment)
    site.prepare()
    site.start()
    try:
        yield site
    finally:
        site.clean_up()


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """One installation for all tests of a module."""
    with started(tmp_path_factory.mktemp("site")) as site:
        yield site
