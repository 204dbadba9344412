"""`python -m tests.helpers.plan_kills COUNT SEED`: schedules whose worker is killed at each of their steps.

Prints as JSON, for each step, how the runs ended that were killed before, while or after it was done. Each
worker is a process of its own; what the other queues do for a run (train, order) is done in processes, too.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

from tests.helpers.killed_jobs import attempt, expire_leases
from tests.helpers.run_kills import train

ROUNDS = 40  # of a run, after which it hangs
PLAN = {
    "retrain": "weeks",
    "retrain_weeks": 1,
    "budget": 2,
    "makes_order": True,
    "mail_to": ["ana@example.com"],
}


def in_process(work: Callable[..., None], *given: Any) -> int:
    """Does the work in a process; how that ended."""
    from django.db import connection

    connection.close()
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    process.start()
    process.join()
    return process.exitcode or 0


def work(run_id: str, kind: str = "", moment: str = "", seconds: float = 0.0) -> None:
    """What the worker does with the job; it dies at this step: before, while or after it is done."""
    from forecastsite.automation.runner import work_on_plan_run
    from forecastsite.automation.steps import STEPS

    real = STEPS.get(kind)

    def die(*_given: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def dying(step: Any) -> Any:
        if moment == "before":
            die()
        if moment == "while":
            threading.Timer(seconds, die).start()
        outcome = real(step)
        if moment == "after" or (moment == "while" and outcome.state != "running"):
            die()
        return outcome

    if kind:
        STEPS[kind] = dying
    work_on_plan_run(run_id)


def serve_queues() -> None:
    """What other workers do meanwhile: trainings, orders, and what changed in a forecast."""
    from prediction.models import OrderRun
    from prediction.runs.change_row import RunChange
    from prediction.runs.changes import explain_run
    from prediction.tasks import make_order_run
    from training import leases
    from training.models import TrainingRun
    from training.runner import train_and_publish

    for run in TrainingRun.objects.filter(state="queued"):
        claimed = leases.claim_next(run.pk, os.getpid(), "here")
        if claimed is not None:
            train_and_publish(claimed)
    for order in OrderRun.objects.filter(stage="queued"):
        make_order_run(str(order.pk))
    for change in RunChange.objects.filter(content__isnull=True):
        explain_run(change.run)


def drop_file(inbox: Path, number: int) -> Any:
    """Sales of one more day lie in the folder, and the stock of its evening is counted; the day."""
    from registry.datasets.models import Dataset
    from tests.helpers import small_files

    current = Dataset.objects.get().current_version
    day = current.last + timedelta(days=1)
    rows = [f"{day},{store},{code},{number % 7}" for store in current.stores for code in current.products]
    (inbox / f"day{number}.csv").write_text("\n".join(["date,store,product,qty", *rows]) + "\n")
    (inbox / f"day{number}.csv.done").touch()
    small_files.stock(current, later=1)
    return day


def count_rows() -> dict[str, int]:
    """Of what there must be one more after each run."""
    from prediction.models import ForecastRun, OrderRun
    from registry.datasets.models import DatasetVersion
    from registry.datasets.sources.models import SourceFile
    from training.models import TrainingRun

    return {
        "versions": DatasetVersion.objects.filter(state="ready").count(),
        "files": SourceFile.objects.filter(state="saved").count(),
        "trainings": TrainingRun.objects.filter(state="done").count(),
        "forecasts": ForecastRun.objects.filter(stage="done", version__run__isnull=False).count(),
        "orders": OrderRun.objects.filter(stage="done").count(),
    }


def try_once(plan: Any, inbox: Path, number: int, kind: str, chance: random.Random) -> dict[str, Any]:
    """One run whose worker is killed at a step; how it ended, and what it made."""
    from django.utils import timezone

    from forecastsite.automation.models import PlanRun
    from forecastsite.automation.starting import start_plan
    from registry.model_versions.models import ModelVersion
    from training.models import TrainingRun

    long_ago = timezone.now() - timedelta(days=30)
    ModelVersion.objects.update(created_at=long_ago)
    TrainingRun.objects.update(created_at=long_ago)
    day, before = drop_file(inbox, number), count_rows()
    run = start_plan(plan, PlanRun.Cause.COMMAND, is_queued=False)
    moment, deaths = chance.choice(["before", "while", "after"]), 0
    for _round in range(ROUNDS):
        due = (kind, moment, chance.random() * 0.3) if not deaths else ()
        deaths += in_process(work, str(run.pk), *due) == -signal.SIGKILL
        expire_leases(PlanRun)
        run.refresh_from_db()
        if not run.is_going:
            break
        attempt(serve_queues)
    if run.is_going:
        raise AssertionError([(step.kind, step.state, step.sentence) for step in run.steps.all()])
    after = count_rows()
    more = {name: after[name] - before[name] for name in after}
    states = {step.kind: [step.state, step.sentence] for step in run.steps.all()}
    left = [path.name for path in inbox.iterdir() if path.is_file()]
    facts = {"step": kind, "moment": moment, "deaths": deaths, "stage": run.stage, "error": run.error_text}
    return {**facts, "more": more, "states": states, "left": left, "day": str(day)}


def prepare(root: Path) -> tuple[Any, Path]:
    """A source and a plan of the sample."""
    from django.conf import settings

    from forecastsite.automation.models import Plan
    from registry.datasets.models import Dataset
    from registry.datasets.sources.models import Source

    settings.EMAIL_HOST, settings.EMAIL_FILE_PATH = "mail.example", str(root / "mails")
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.SOURCES_DIR = root / "sources"
    dataset = Dataset.objects.get()
    Source.objects.create(name="tills", dataset=dataset, address="shop", needs_marker=True)
    (root / "sources" / "shop").mkdir(parents=True)
    return Plan.objects.create(name="nightly", dataset=dataset, **PLAN), root / "sources" / "shop"


def read_mails(root: Path) -> dict[str, int]:
    """How many mails were sent, and how many a reader sees: those of one id count once."""
    texts = [path.read_text() for path in (root / "mails").glob("*.log")]
    ids = [line for text in texts for line in text.splitlines() if line.startswith("Message-ID: ")]
    return {"sent": len(ids), "seen": len(set(ids))}


if __name__ == "__main__":
    django.setup()
    from registry.model_versions import bundle  # noqa: F401  # torch, once for all attempts

    count, seed, root = int(sys.argv[1]), int(sys.argv[2]), Path(os.environ["DATA_DIR"])
    attempt(train)
    plan, inbox = prepare(root)
    from forecastsite.automation.models import PlanStep

    chance, trials, begun = random.Random(seed), [], time.monotonic()
    for kind in PlanStep.Kind.values:
        for _each in range(count):
            trials.append(try_once(plan, inbox, len(trials), kind, chance))
    print(json.dumps({"trials": trials, "mails": read_mails(root), "seconds": time.monotonic() - begun}))
