"""Jobs of the light queue: claimed once, made, with what goes wrong kept in the row."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from prediction.engine import forget_cached
from registry.lib.leases import LeasedJob
from registry.storage.artifacts import CorruptArtifact

Job = TypeVar("Job", bound=LeasedJob)


def run_claimed(job: Job, make: Callable[[Job], object]) -> None:
    """Claims the job and makes it; nothing if somebody else has it. `make` keeps a failure in the row."""
    if not job.claim():
        return
    try:
        with suppress(ValueError, CorruptArtifact):
            make(job)
    finally:
        forget_cached()  # the queue's worker lives on
