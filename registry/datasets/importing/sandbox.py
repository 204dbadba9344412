"""Reads a file in a process of its own, with limits: whatever is in the file, the web server goes on.

The process knows neither the database nor the secret key; it gets a job and leaves files in the job's folder.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import Question, SalesError
from registry.datasets.importing.options import Job

logger = logging.getLogger(__name__)

MEMORY = 1536 << 20  # bytes of address space
SECONDS, PER_100_MB = 60.0, 30.0
PATIENCE = 2.0  # times the processor time that may pass on a busy machine
LARGEST_REPORT = 64 << 20
AT_ONCE = threading.BoundedSemaphore(2)
KEPT = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT", "TZDIR")
QUIET = {  # one thread each, and an allocator that does not reserve more address space than it uses
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "PYTHONUTF8": "1",
}


def seconds_for(size: int) -> float:
    """Seconds of processor time that a file of that many bytes may take.

    >>> seconds_for(50_000_000), seconds_for(400_000_000)
    (75.0, 180.0)
    """
    return SECONDS + PER_100_MB * size / 100_000_000


def work(job: Job) -> dict[str, Any]:
    """The report of a job; raises SalesError (or Question) with one sentence."""
    if not AT_ONCE.acquire(timeout=SECONDS):
        raise SalesError(_("Other files are being read just now: try again in a minute."))
    try:
        size = sum(os.path.getsize(path) for path in (job.path, job.base) if path and os.path.isfile(path))
        limit = seconds_for(size)
        code = run(job, limit)
    finally:
        AT_ONCE.release()
    return outcome(job, code, limit)


def run(job: Job, limit: float) -> int | None:
    """The process's exit code; None when its time was over."""
    words = [sys.executable, "-m", "registry.datasets.importing.sandbox_worker"]
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    with (Path(job.folder) / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            words,
            cwd=settings.BASE_DIR,
            env={**environment, **QUIET},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    order = {"job": job.as_json(), "parent": os.getpid(), "memory": MEMORY, "seconds": int(limit) + 1}
    try:
        told = json.dumps({**order, "locale": str(settings.LOCALE_PATHS[0])}).encode()
        process.communicate(told, PATIENCE * limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()
    return process.returncode


def outcome(job: Job, code: int | None, limit: float) -> dict[str, Any]:
    """What the process left, or why it left nothing."""
    words = {"file": job.name, "seconds": int(limit), "memory": MEMORY >> 20}
    report = Path(job.folder) / "report.json"
    if code is None or code == -signal.SIGXCPU:
        raise SalesError(
            _("%(file)s was given up after %(seconds)d seconds: split it into smaller files.") % words
        )
    if code != 0:
        errors = (Path(job.folder) / "errors.txt").read_text(errors="replace")[-2000:].strip()
        logger.warning("reading %s ended with %s: %s", job.path, code, errors.rpartition("\n")[2])
    if code != 0 or not report.is_file() or report.stat().st_size > LARGEST_REPORT:
        raise SalesError(
            _("%(file)s is damaged, or needs more than %(memory)d MB to read: split it, or save it again.")
            % words
        )
    result: dict[str, Any] = json.loads(report.read_bytes())
    if "question" in result:
        raise Question(result["problem"], result["question"], result["options"])
    if "problem" in result:
        raise SalesError(result["problem"])
    return result
