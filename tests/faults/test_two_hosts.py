"""Two hosts, one PostgreSQL, one S3 store: both train; when one dies the other takes its training over."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from importlib.util import find_spec

import psutil
import pytest

from tests.faults.http_client import QUICK
from tests.helpers.installation import MANAGE, Site, until
from tests.helpers.postgresql import find_postgresql, run_postgresql
from tests.helpers.s3_server import run_s3
from tests.helpers.trials import FULL, only_if, repeats

pytestmark = [pytest.mark.processes, repeats]  # test_roles.py kills hosts of one role in every run
RUNS = 4
SECONDS = 20 if FULL else 90  # in the quick run one training is finished early, the others are stopped


@pytest.fixture
def hosts(tmp_path_factory) -> Iterator[list[Site]]:
    """Two started installations with folders of their own; what they share are database, store and key."""
    with run_postgresql() as address, run_s3() as shared:
        shared |= {"DATABASE_URL": address, "SECRET_KEY": "k" * 40, "WAITING_PER_USER": "1000"}
        both = [Site(tmp_path_factory.mktemp(name), **shared) for name in ("one", "other")]
        try:
            both[0].prepare()
            for host in both:
                host.start()
            yield both
        finally:
            for host in both:
                host.clean_up()


def at_work(host: Site) -> set[int]:
    """Everything that runs there."""
    return {member.pid for member in psutil.Process(host.process.pid).children(recursive=True)}


@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_a_host_takes_over_what_another_was_training_when_it_died(hosts, tally):
    def trial(_chance) -> dict:
        one, other = hosts
        runs = [other.queue(SECONDS) for _number in range(RUNS)]

        def learning(host: Site) -> str | None:
            here = at_work(host)
            rows = other.runs(*runs).values()
            return next((r["id"] for r in rows if r["step"] == "learn" and r["pid"] in here), None)

        lost = until(180, lambda: learning(one))
        until(180, lambda: learning(other))
        one.everybody()
        os.killpg(one.process.pid, signal.SIGKILL)
        begun = time.monotonic()
        one.process.wait()
        until(10, lambda: not one.left())
        ended = runs if FULL else [lost]
        if not FULL:
            other.expire_leases([lost])
            other.cancel(set(runs) - {lost})
        until(120, lambda: other.run_row(lost)["attempt"] == 2)
        noticed = time.monotonic() - begun
        if not FULL:
            until(180, lambda: learning(other) == lost)
            other.shell(f"TrainingRun.objects.get(pk='{lost}').finish_early()")
        until(120 + 90 * RUNS, lambda: not other.runs())
        rows = other.runs(*ended)
        assert [row["state"] for row in rows.values()] == ["done"] * len(ended), rows
        model = [*MANAGE, "forecast", "--model", rows[lost]["version"], "--horizon=14", "--json"]
        assert subprocess.run(model, env=other.env, capture_output=True).returncode == 0
        one.words.unlink()
        one.start()
        again = one.queue(1, QUICK)
        assert one.until_state(again, *("done", "failed"), seconds=120)["state"] == "done"
        return {"seconds until the other host goes on": round(noticed, 1)}

    words = f"one of two hosts dies in the middle of {RUNS} trainings; the other ends them all, S3 store"
    tally(words, 1, 3, "postgresql").attempt(trial)
