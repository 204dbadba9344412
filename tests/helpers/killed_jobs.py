"""Jobs whose process is killed, for the programs that do it again and again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any


def attempt(work: Callable[..., None], *given: Any, seconds: float | None = None) -> float:
    """Does the work in a process, killed after so many seconds; how long the process lived."""
    from django.db import connection

    connection.close()
    process = multiprocessing.get_context("fork").Process(target=work, args=given)
    begun = time.monotonic()
    process.start()
    process.join(seconds)
    if process.is_alive():
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    return time.monotonic() - begun


def expire_leases(kind: Any) -> None:
    """As if every lease of this kind of LeasedJob were over, and the supervisor looked."""
    from django.utils import timezone

    from registry.lib.leases import expire_lost_jobs

    kind.objects.filter(stage="running").update(lease_until=timezone.now() - timedelta(seconds=1))
    expire_lost_jobs()
