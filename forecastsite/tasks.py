"""Jobs of the light queue that belong to no app, and the markers of its busy workers."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.tasks import async_task

from forecastsite.cleanup.limits import Limits
from forecastsite.cleanup.service import (
    NOT_STARTED_ERRORS,
    build_default_policy,
    run_cleanup,
    should_archive,
)
from forecastsite.order_backtests import learn_bundle
from forecastsite.server.beats import LIGHT, record_beat
from forecastsite.verification.nightly import JOB, run_verification
from prediction.order_backtests.maker import run_backtest
from prediction.order_backtests.models import OrderBacktest

BUSY_FOLDER = "busy"  # folder in DATA_DIR with a file for each busy worker of this machine
NIGHTLY_LIMITS = Limits(
    max_delete="50%", always_allowed=100, time_limit=20
)  # in short pieces: other jobs wait in the same queue


def run_order_backtest(test_id: str) -> None:
    """Queue job: works out what the last weeks would have cost."""
    related = ("dataset", "dataset_version__dataset", "policy")
    if test := OrderBacktest.objects.filter(pk=test_id).select_related(*related).first():
        run_backtest(test, learn_bundle)


def clean_up() -> None:
    """Runs the scheduled clean-up and queues another job while items are left.

    A plan that would remove half of all rows is refused and waits for an operator.
    """
    policy = build_default_policy()
    try:
        outcome = run_cleanup(
            replace(policy, should_archive=should_archive("auto")), NIGHTLY_LIMITS, by_schedule=True
        )
    except NOT_STARTED_ERRORS:
        return  # recorded, and shown in the admin
    if outcome.left_count and not outcome.exit_code:
        async_task("forecastsite.tasks.clean_up", cluster="light")


def verify(verification_id: int) -> None:
    """Queue job: a piece of the nightly look at versions and files, and another job for the next one."""
    if not run_verification(verification_id):
        async_task(JOB, verification_id, cluster="light")


def probe() -> None:
    """Notes that the light queue does its jobs; the supervisor waits for it to be processed."""
    record_beat(LIGHT)


def busy_marker_path(pid: int) -> Path:
    """The file that exists while this worker runs a job."""
    return Path(settings.DATA_DIR) / BUSY_FOLDER / str(pid)


def has_busy_worker(pids: Iterable[int]) -> bool:
    """Whether one of these workers runs a job, so that a waiting probe is no sign of a wedged queue."""
    return any(busy_marker_path(pid).exists() for pid in pids)


def install_busy_markers() -> None:
    """Makes the workers forked by this process mark themselves while they run a job."""
    folder = Path(settings.DATA_DIR) / BUSY_FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink(missing_ok=True)
    pre_execute.connect(create_busy_marker, dispatch_uid="busy")
    post_execute_in_worker.connect(delete_busy_marker, dispatch_uid="busy")


def create_busy_marker(**given: Any) -> None:
    """Signal handler: marks this worker as busy."""
    busy_marker_path(os.getpid()).touch()


def delete_busy_marker(**given: Any) -> None:
    """Signal handler: removes the mark."""
    busy_marker_path(os.getpid()).unlink(missing_ok=True)
