"""`python -m tests.helpers.partition_kills`: the move of an old version, killed after each of its steps.

Prints as JSON what a reader saw before, after each kill, and after the move that was let through. Every step
is a process of its own, because a killed one must not take the others along.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

MOMENTS = ("part", "check", "list", "row")


def prepare(_queue: Any) -> None:
    """Leaves one version, in one file."""
    from registry.datasets.models import DatasetVersion
    from tests.helpers.old_versions import copy_as_old

    version = DatasetVersion.objects.get()
    copy_as_old(version)
    version.remove()


def move(_queue: Any, moment: str = "") -> None:
    """Moves it; the process dies after the named step."""
    from django.core.management import call_command

    from registry.datasets import partition
    from registry.datasets.models import DatasetVersion
    from registry.datasets.store.models import SalesPart

    steps: dict[str, tuple[Any, str]] = {
        "part": (SalesPart, "write"),
        "check": (partition, "check_parts"),
        "list": (DatasetVersion, "write"),
        "row": (partition, "publish_parts"),
    }
    if moment:
        owner, name = steps[moment]
        work = getattr(owner, name)
        setattr(owner, name, lambda *words: (work(*words), os.kill(os.getpid(), signal.SIGKILL)))
    call_command("partition_sales", "--apply", stdout=open(os.devnull, "w"))  # noqa: SIM115


def look(queue: Any) -> None:
    """What a reader sees."""
    from registry.datasets.models import DatasetVersion
    from registry.datasets.reader import read_table
    from registry.datasets.scope import Scope

    version = DatasetVersion.objects.get()
    rows = read_table(version, Scope()).to_pylist()
    queue.put({"hash": hashlib.sha256(repr(rows).encode()).hexdigest(), "parts": version.parts.count()})


def tidy(queue: Any) -> None:
    """What a night later is left, as counts of files and of rows that own them."""
    from django.core.management import call_command
    from django.utils import timezone

    from registry.datasets.models import DatasetVersion
    from registry.datasets.store.models import SalesPart
    from registry.storage.artifacts import get_artifact_store

    night = timezone.now() - timedelta(days=1)
    SalesPart.objects.filter(state="pending").update(created_at=night)
    call_command("reconcile_artifacts", "--apply", stdout=open(os.devnull, "w"))  # noqa: SIM115
    store = get_artifact_store()
    names = [name for kind in (DatasetVersion, SalesPart) for name in store.listdir(kind.FOLDER)[1]]
    files = sorted(Path(name).stem for name in names)
    ids = [
        str(pk) for kind in (DatasetVersion, SalesPart) for pk in kind.objects.values_list("pk", flat=True)
    ]
    queue.put({"files": files, "rows": sorted(ids)})


def run(step: Any, *words: str) -> dict[str, Any]:
    """Runs a step in a process; what it reported, and whether it was killed."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=step, args=(queue, *words))
    process.start()
    process.join()
    found: dict[str, Any] = {} if queue.empty() else queue.get()
    assert process.exitcode in (0, -signal.SIGKILL), f"{step.__name__} {words}: {process.exitcode}"
    return {**found, "killed": process.exitcode == -signal.SIGKILL}


if __name__ == "__main__":
    django.setup()
    run(prepare)
    reports = [run(look)]
    for name in MOMENTS:
        killed = run(move, name)["killed"]
        reports.append({**run(look), "killed": killed})
    run(move)
    reports.append({**run(look), **run(tidy)})
    print(json.dumps(reports))
