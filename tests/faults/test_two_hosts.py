"""Two hosts, one PostgreSQL, one S3 store: both train, one network together, too; one survives the other."""

from __future__ import annotations

import json
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
        shared["TRAINING_ADDRESS"] = "127.0.0.1"
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


TOGETHER = """
import json
from django.core.management import call_command
call_command("train", "--dataset=sample", "--scope=product:P001", "--algorithm=kan", "--budget=600",
             "--set=steps=4000", "--set=batch=64", "--set=width=16", "--hosts=2", "--queue", "--json")
"""
JOINED = "{count} processes learn together"


@only_if(bool(find_postgresql() and find_spec("psycopg")), "no PostgreSQL server or no psycopg here")
def test_two_hosts_learn_one_network_together_and_one_goes_on_alone(hosts, tally):
    def trial(_chance) -> dict:
        one, other = hosts
        run = json.loads(one.shell(TOGETHER))["run"]

        def is_learning_at(host: Site) -> bool:
            members = psutil.Process(host.process.pid).children(recursive=True)
            return any(run in member.cmdline() for member in members)

        def groups() -> list[int]:
            events = f"TrainingRun.objects.get(pk='{run}').events.filter(text='{JOINED}')"
            said = one.shell(f"import json\nprint(json.dumps(list({events}.values_list('data', flat=True))))")
            return [data["count"] for data in json.loads(said)]

        until(240, lambda: is_learning_at(one) and is_learning_at(other))
        until(120, groups)
        assert groups() == [2]
        until(300, lambda: one.run_row(run)["step"] == "learn" and one.run_row(run)["progress"] > 0.05)
        leads = one.run_row(run)["pid"] in at_work(one)
        lost, left = (other, one) if leads else (one, other)
        lost.everybody()
        os.killpg(lost.process.pid, signal.SIGKILL)
        begun = time.monotonic()
        lost.process.wait()
        until(10, lambda: not lost.left())
        until(240, lambda: left.run_row(run)["attempt"] == 2)
        noticed = time.monotonic() - begun
        until(240, lambda: left.run_row(run)["step"] == "learn")
        left.shell(f"TrainingRun.objects.get(pk='{run}').finish_early()")
        row = left.until_state(run, "done", "failed", seconds=400)
        assert row["state"] == "done", row
        model = [*MANAGE, "forecast", "--model", row["version"], "--horizon=14", "--json"]
        assert subprocess.run(model, env=left.env, capture_output=True).returncode == 0
        return {"seconds until it goes on": round(noticed, 1)}

    tally("one of two hosts that learn one network together dies, S3 store", 1, 3, "postgresql").attempt(
        trial
    )
