"""Many processes publish versions of one model at once: unique numbers without a gap, on both databases."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec

import pytest
from django.conf import settings

from tests.faults.conftest import many, only_if, postgres
from tests.site import MANAGE, free_port

pytestmark = pytest.mark.processes
PROCESSES = 8
DATA = f"""
from datetime import date
from importlib.util import find_spec
from registry.models import Dataset, DatasetVersion
days = {{"first": date{date(2024, 1, 1).timetuple()[:3]}, "last": date{date(2024, 12, 31).timetuple()[:3]}}}
DatasetVersion.objects.create(dataset=Dataset.objects.create(name="d"), number=1, state="ready", **days)
"""
COUNT = """
from registry.models import ModelVersion
print(*sorted(ModelVersion.objects.ready().values_list("number", flat=True)))
"""


@pytest.fixture
def sqlite(tmp_path) -> dict[str, str]:
    return {**os.environ, "DATA_DIR": str(tmp_path / "var")}


@pytest.fixture
def server(tmp_path_factory) -> Iterator[str]:
    """A PostgreSQL of its own; its address."""
    programs = postgres()
    folder, port = tmp_path_factory.mktemp("pg"), free_port()
    person: dict = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        somebody = pwd.getpwnam("nobody")
        person = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
        os.chown(folder, somebody.pw_uid, somebody.pw_gid)
        for above in folder.parents[:3]:
            above.chmod(above.stat().st_mode | 0o011)
    data = folder / "data"
    init = [f"{programs}/initdb", "-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(init, check=True, capture_output=True, cwd=folder, **person)
    serve = [f"{programs}/postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(serve, cwd=folder, stdout=log, stderr=log, **person)
    ready = [f"{programs}/pg_isready", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    end = time.monotonic() + 30
    while subprocess.run(ready, capture_output=True).returncode and time.monotonic() < end:
        time.sleep(0.2)
    yield f"postgres://app@127.0.0.1:{port}/postgres"
    running.terminate()
    running.wait(20)


def publish(env: dict[str, str], each: int) -> tuple[list[int], str, float]:
    """Numbers of the versions, what the processes complained about, seconds."""
    run = {"env": env, "cwd": settings.BASE_DIR, "capture_output": True, "text": True, "check": True}
    subprocess.run([*MANAGE, "migrate", "-v0"], **run)
    subprocess.run([*MANAGE, "shell", "-v0", "-c", DATA], **run)
    words = [sys.executable, "-m", "tests.faults.publish", str(each)]
    begun = time.monotonic()
    everybody = [
        subprocess.Popen(
            words,
            env={**env, "DJANGO_SETTINGS_MODULE": "forecastsite.settings"},
            cwd=settings.BASE_DIR,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _number in range(PROCESSES)
    ]
    said = "".join(one.communicate(timeout=500)[1] for one in everybody)
    took = time.monotonic() - begun
    found = subprocess.run([*MANAGE, "shell", "-v0", "-c", COUNT], **run).stdout
    return [int(number) for number in found.split()], said, took


def check(env: dict[str, str], name: str, tell) -> None:
    each = many(5, 100)
    numbers, said, took = publish(env, each)
    assert said == ""
    assert numbers == list(range(1, PROCESSES * each + 1))
    tell(f"{name}: {PROCESSES} processes x {each}: {len(numbers)} versions without a gap in {took:.1f} s")


def test_sqlite_gives_every_version_its_own_number(sqlite, tell):
    check(sqlite, "SQLite", tell)


@only_if(bool(postgres() and find_spec("psycopg")), "no PostgreSQL server, or psycopg, on this machine")
def test_postgresql_gives_every_version_its_own_number(sqlite, server, tell):
    check({**sqlite, "DATABASE_URL": server}, "PostgreSQL", tell)
