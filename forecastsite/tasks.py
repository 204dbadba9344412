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

from forecastsite.cleanup.service import NOT_BEGUN, Limits, carry_out, default_policy, to_archive

FOLDER = "busy"  # below DATA_DIR: a file for each worker of this machine that is in a job
NIGHTLY = Limits(most="50%", always=100, seconds=20)  # in pieces: others wait in the same queue


def clean_up() -> None:
    """What the daily schedule runs; what is left after its time is a job of its own, as often as needed.

    A plan that takes half of everything waits for a person.
    """
    policy = default_policy()
    try:
        outcome = carry_out(replace(policy, archive=to_archive("auto")), NIGHTLY, by_schedule=True)
    except NOT_BEGUN:
        return  # written down, and shown in the admin
    if outcome.left and not outcome.code:
        async_task("forecastsite.tasks.clean_up", cluster="light")


def probe() -> None:
    """Does nothing: that it was taken and done is the news the supervisor waits for."""


def mark(pid: int) -> Path:
    """The file that is there while this worker is in a job."""
    return Path(settings.DATA_DIR) / FOLDER / str(pid)


def busy(pids: Iterable[int]) -> bool:
    """One of these workers is in a job: probes wait, and that is right. The queue's timeout ends the job."""
    return any(mark(pid).exists() for pid in pids)


def tell_when_busy() -> None:
    """From now on the workers that this process forks keep their marks."""
    folder = Path(settings.DATA_DIR) / FOLDER
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink(missing_ok=True)
    pre_execute.connect(begins, dispatch_uid="busy")
    post_execute_in_worker.connect(is_over, dispatch_uid="busy")


def begins(**given: Any) -> None:
    mark(os.getpid()).touch()


def is_over(**given: Any) -> None:
    mark(os.getpid()).unlink(missing_ok=True)
