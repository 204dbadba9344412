"""A PostgreSQL server for a test, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.installation import free_port


def find_postgresql() -> str | None:
    """The folder of PostgreSQL's programs, if there is one here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    path = str(found[0]) if found else shutil.which("initdb")
    return str(Path(path).parent) if path else None


@contextmanager
def run_postgresql() -> Iterator[str]:
    """A PostgreSQL of its own; its address. Not below pytest's folder: the next pytest shuts that."""
    programs, port, person = find_postgresql(), free_port(), {}
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
