"""Faults on real processes. A few of each in `make test`; `make faults` does them all and prints its seed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.site import Site

FULL = os.environ.get("FAULTS") == "full"
SEED = int(os.environ.get("FAULTS_SEED", random.randrange(10**6)))


def many(quick: int, full: int) -> int:
    """How often, in the quick run and in the full one."""
    return full if FULL else quick


def only_if(true: bool, reason: str) -> Callable:
    """A test that needs what not every machine has. In CI, where nothing may skip, it is not there at all."""
    if true:
        return lambda test: test
    return (lambda test: None) if os.environ.get("CI") == "true" else pytest.mark.skip(reason=reason)


@pytest.fixture
def chance() -> random.Random:
    print(f"FAULTS_SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def tell(request) -> Callable[[str], None]:
    """A line of the report: printed, and kept in the file that FAULTS_REPORT names."""

    def line(text: str) -> None:
        words = f"{request.node.name}: {text} (seed {SEED})"
        print(words)
        if report := os.environ.get("FAULTS_REPORT"):
            with Path(report).open("a") as stream:
                stream.write(words + "\n")

    return line


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    """A started installation with the small chain in it and nothing to do."""
    site = Site(tmp_path_factory.mktemp("site"), WAITING_PER_USER="1000")
    site.prepare()
    site.start()
    yield site
    site.clean_up()


def postgres() -> str | None:
    """The folder of PostgreSQL's programs, if there is one here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    path = str(found[0]) if found else shutil.which("initdb")
    return str(Path(path).parent) if path else None
