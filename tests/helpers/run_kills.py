"""`python -m tests.helpers.run_kills COUNT SEED`: forecast runs whose process is killed at random moments.

Prints as JSON, for each kill, what the run's row said and whether its files were whole, and how the run ended
after its lease was over. Each attempt is a process of its own, as the light queue's worker is.
"""

from __future__ import annotations

import json
import os
import random
import sys
from typing import Any

import django

from tests.helpers.killed_jobs import attempt, expire_leases


def train() -> None:
    """A version of everything."""
    from django.core.management import call_command

    words = ("--dataset=sample", "--scope=global", "--algorithm=seasonal_naive", "--budget=2")
    call_command("train", *words, stdout=open(os.devnull, "w"))  # noqa: SIM115


def make(run_id: str) -> None:
    """What the worker does with the job; it forecasts with the files of the installation."""
    from django.db import connection

    from prediction.tasks import make_forecast_run

    connection.close()
    make_forecast_run(run_id)


def add_run() -> str:
    """A waiting run of everything."""
    from prediction.models import ForecastRun
    from registry.model_versions.models import ModelVersion

    version = ModelVersion.objects.ready().first()
    assert version is not None
    run = ForecastRun.objects.create(version=version, dataset_version=version.dataset_version)
    return str(run.pk)


def look(run_id: str) -> dict[str, Any]:
    """The stage of the run, and whether each of its files is the one that its row names."""
    from prediction.models import ForecastRun
    from registry.storage.artifacts import CorruptArtifact

    run, files = ForecastRun.objects.get(pk=run_id), 0
    for part in (run, *run.list_parts()):
        try:
            files += bool(part.state == part.State.READY and part.read())
        except CorruptArtifact:
            files -= 10  # a row says ready without its file
    return {"stage": run.stage, "files": files, "error": run.error}


def expire(run_id: str) -> str:
    """The stage after the lease was over and the supervisor looked."""
    from prediction.models import ForecastRun

    expire_leases(ForecastRun)
    return ForecastRun.objects.get(pk=run_id).stage


def try_once(length: float, chance: random.Random) -> dict[str, Any]:
    """One run: killed once, then let through; every second one is killed twice."""
    run_id, is_twice = add_run(), chance.random() < 0.5
    attempt(make, run_id, seconds=chance.random() * length)
    seen = [look(run_id)]
    stages = [expire(run_id)]
    if is_twice and stages[-1] == "queued":
        attempt(make, run_id, seconds=chance.random() * length)
        seen.append(look(run_id))
        stages.append(expire(run_id))
    if stages[-1] == "queued":
        attempt(make, run_id)
    return {"seen": seen, "stages": stages, "end": look(run_id)}


if __name__ == "__main__":
    django.setup()
    from registry.model_versions import bundle  # noqa: F401  # torch, once for all attempts

    count, seed = (int(word) for word in sys.argv[1:])
    attempt(train)
    first = add_run()
    whole = attempt(make, first)
    chance = random.Random(seed)
    print(json.dumps({"whole": look(first), "trials": [try_once(whole, chance) for _each in range(count)]}))
