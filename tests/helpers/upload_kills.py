"""`python -m tests.helpers.upload_kills COUNT SEED`: jobs of uploads, killed at random moments.

Prints as JSON, for each job, its stages after each kill, how it ended, and what the dataset has by then. Each
attempt is a process of its own, as the light queue's worker is.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import django

from tests.helpers.killed_jobs import attempt, expire_leases


def make_file() -> bytes:
    """Sales that are checked in about a second."""
    days = [f"2026-{month:02}-{day:02}" for month in range(1, 7) for day in range(1, 29)]
    rows = (f"{day},S{place % 9},P{place % 40},{place % 7}" for day in days for place in range(90))
    return ("date,store_id,product_id,sales\n" + "\n".join(rows)).encode()


def work(job_id: str) -> None:
    """What the worker does with the job."""
    from django.db import connection

    from registry.datasets.upload_jobs.tasks import run_upload_job

    connection.close()
    run_upload_job(job_id)


def expire(job_id: str) -> str:
    """The stage after the lease was over and the supervisor looked."""
    from registry.datasets.upload_jobs.models import UploadJob

    expire_leases(UploadJob)
    return UploadJob.objects.get(pk=job_id).stage


def kill_and_repeat(job_id: str, length: float, chance: random.Random) -> list[str]:
    """The stages of a job that is killed once, every second one twice, then let through."""
    kills, stages = 1 + (chance.random() < 0.5), []
    for _kill in range(kills):
        attempt(work, job_id, seconds=chance.random() * length)
        stages.append(expire(job_id))
        if stages[-1] != "queued":
            return stages
    attempt(work, job_id)
    return [*stages, expire(job_id)]


def add_upload(name: str) -> Any:
    """An upload of the file whose columns are known."""
    from django.contrib.auth.models import User

    from registry.datasets.uploads import Upload

    user, _made = User.objects.get_or_create(username="kim")
    facts = {
        "file": "till.csv",
        "name": name,
        "created_by": user,
        "reading": {"country": "", "replace": False},
    }
    upload = Upload.objects.create_from_chunks([make_file()], ".csv", **facts)
    upload.detect_columns()
    return upload


def try_once(name: str, lengths: tuple[float, float], chance: random.Random) -> dict[str, Any]:
    """An upload that is checked and saved, both jobs killed on the way."""
    from registry.datasets.models import Dataset, DatasetVersion
    from registry.datasets.upload_jobs.models import UploadJob
    from registry.datasets.uploads import Upload

    upload, told = add_upload(name), {}
    for task, length in zip(("check", "save"), lengths, strict=True):
        job = UploadJob.objects.start(Upload.objects.get(pk=upload.pk), task)
        told[task] = kill_and_repeat(str(job.pk), length, chance)
        job.refresh_from_db()
        told["error"] = job.error
        if not job.is_done:
            break
    ready = DatasetVersion.objects.filter(dataset__name=name, state="ready")
    left = Upload.objects.filter(pk=upload.pk).first()
    found = {"versions": ready.count(), "rows": [one.rows for one in ready], "upload": left is not None}
    if left is not None:
        left.delete_with_files()
    if dataset := Dataset.objects.filter(name=name).first():
        dataset.delete()
    return {**told, **found}


def main() -> None:
    """Measures both tasks undisturbed, then kills."""
    from django.conf import settings

    from registry.datasets.upload_jobs.models import UploadJob

    count, seed = (int(word) for word in sys.argv[1:])
    upload = add_upload("whole")
    lengths = tuple(
        attempt(work, str(UploadJob.objects.start(upload, task).pk)) for task in ("check", "save")
    )
    chance = random.Random(seed)
    trials = [try_once(f"trial {number}", (lengths[0], lengths[1]), chance) for number in range(count)]
    folders = [path.name for path in (Path(settings.DATA_DIR) / "uploads").iterdir()]
    print(json.dumps({"trials": trials, "folders": folders}))


if __name__ == "__main__":
    django.setup()
    main()
