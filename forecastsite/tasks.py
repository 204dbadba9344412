"""Jobs of the light queue that belong to no app, and the marks that tell a busy worker from a wedged one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django_q.signals import post_execute_in_worker, pre_execute
from django_q.tasks import async_task

from forecastsite.cleanup.service import (
    NOT_STARTED_ERRORS,
    Limits,
    build_default_policy,
    run_cleanup,
    should_archive,
)

BUSY_FOLDER = "busy"  # below DATA_DIR: a file for each worker of this machine that is in a job
NIGHTLY_LIMITS = Limits(
    max_delete="50%", always_allowed=100, time_limit=20
)  # in pieces: others wait in the same queue


def clean_up() -> None:
    """What the daily schedule runs; what is left after its time is a job of its own, as often as needed.

    A plan that takes half of everything waits for a person.
    """
    policy = build_default_policy()
    try:
        outcome = run_cleanup(
            replace(policy, should_archive=should_archive("auto")), NIGHTLY_LIMITS, by_schedule=True
        )
    except NOT_STARTED_ERRORS:
        return  # written down, and shown in the admin
    if outcome.left_count and not outcome.exit_code:
        async_task("forecastsite.tasks.clean_up", cluster="light")


def probe() -> None:
    """Does nothing: that it was taken and done is the news the supervisor waits for."""


def busy_marker_path(pid: int) -> Path:
    """The file that is there while this worker is in a job."""
    return Path(settings.DATA_DIR) / BUSY_FOLDER / str(pid)


def has_busy_worker(pids: Iterable[int]) -> bool:
    """One of these workers is in a job: probes wait, and that is right. The queue's timeout ends the job."""
    return any(busy_marker_path(pid).exists() for pid in pids)


def install_busy_markers() -> None:
    """From now on the workers that this process forks keep their marks."""
    folder = Path(settings.DATA_DIR) / BUSY_FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink(missing_ok=True)
    pre_execute.connect(create_busy_marker, dispatch_uid="busy")
    post_execute_in_worker.connect(delete_busy_marker, dispatch_uid="busy")


def create_busy_marker(**given: Any) -> None:
    busy_marker_path(os.getpid()).touch()


def delete_busy_marker(**given: Any) -> None:
    busy_marker_path(os.getpid()).unlink(missing_ok=True)
