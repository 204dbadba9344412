"""Faults on real processes: a few of each in `make test`, all in `make test-faults`, which prints its seed.

FAULTS=full        every trial and not a few;        FAULTS_SHARE=0.1    a tenth of them
FAULTS_ON=postgresql   on a PostgreSQL of its own;   FAULTS_SEED=7       the same chances again
FAULTS_REPORT=file     keeps what was seen: called again it goes on where it was interrupted
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.results import Tally
from tests.helpers.installation import Site
from tests.helpers.postgresql import run_postgresql
from tests.helpers.trials import ON, SEED, many


@pytest.fixture
def tally() -> Callable[[str, int, int], Tally]:
    """Counts the trials of a fault: its words, how many in the quick run, how many in the full one."""
    report = os.environ.get("FAULTS_REPORT")

    def start(fault: str, quick: int, full: int, on: str = ON) -> Tally:
        return Tally(f"{fault} ({on})", many(quick, full), SEED, Path(report) if report else None)

    return start


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[Site]:
    """A started installation with the small chain in it and nothing to do, on the database of FAULTS_ON."""
    if ON == "postgresql" and "DATABASE_URL" not in environment:
        with run_postgresql() as address, started(folder, DATABASE_URL=address, **environment) as site:
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
