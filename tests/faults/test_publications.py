"""Many processes publish versions of one model at once: unique numbers without a gap, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings

from tests.helpers.installation import MANAGE, copy_prepared_folder
from tests.helpers.postgresql import find_postgresql, run_postgresql
from tests.helpers.trials import FULL, many, only_if

pytestmark = pytest.mark.processes
PROCESSES = 8 if FULL else 4
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
def server() -> Iterator[str]:
    with run_postgresql() as address:
        yield address


def publish(env: dict[str, str], each: int) -> tuple[list[int], str, float]:
    """Numbers of the versions, what the processes complained about, seconds."""
    run = {"env": env, "cwd": settings.BASE_DIR, "capture_output": True, "text": True, "check": True}
    if "DATABASE_URL" in env:
        subprocess.run([*MANAGE, "migrate", "-v0"], **run)
        subprocess.run([*MANAGE, "shell", "-v0", "-c", DATA], **run)
    else:
        copy_prepared_folder(Path(env["DATA_DIR"]))
    words = [sys.executable, "-m", "tests.faults.publish_worker", str(each)]
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


def check(env: dict[str, str], on: str, tally) -> None:
    each = many(5, 100)
    trials = tally(f"versions of one model published by {PROCESSES} processes", 20, 800, on)
    if not any(True for _one in trials.left()):
        return
    numbers, said, took = publish(env, each)
    assert said == ""
    assert numbers == list(range(1, PROCESSES * each + 1))
    trials.add(count=len(numbers), seconds=round(took, 1))


def test_sqlite_gives_every_version_its_own_number(sqlite, tally):
    check(sqlite, "sqlite", tally)


@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_postgresql_gives_every_version_its_own_number(sqlite, server, tally):
    check({**sqlite, "DATABASE_URL": server, "SECRET_KEY": "k" * 40}, "postgresql", tally)
