"""Runs an import in a limited process, so that no file can hurt the web server.

The process has no access to the database or the secret key: it gets a job and writes into the job's folder.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from registry.datasets.importing.errors import AmbiguousValue, SalesFileError
from registry.datasets.importing.options import ImportJob
from registry.datasets.importing.progress import Progress, read_progress

logger = logging.getLogger(__name__)

BASE_SECONDS, SECONDS_PER_100_MB = 60.0, 240.0
WALL_CLOCK_FACTOR = 2.0  # wall-clock time per CPU time, for a busy machine
MAX_REPORT_BYTES = 64 << 20
WATCH_SECONDS = 1.0
WATCH: ContextVar[Callable[[Progress | None], None] | None] = ContextVar("watch", default=None)
WORKER_SLOTS = threading.BoundedSemaphore(settings.IMPORTS_AT_ONCE)
INHERITED_VARIABLES = (
    "PATH",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "SYSTEMROOT",
    "TZDIR",
)
WORKER_VARIABLES = {  # single-threaded, with an allocator that reserves only the address space it uses
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",  # a column that is read and released leaves no holes
    "PYTHONUTF8": "1",
}


@contextmanager
def watched_by(watch: Callable[[Progress | None], None]) -> Iterator[None]:
    """Calls `watch` every second while files are read inside `with`; what it raises ends the reading."""
    token = WATCH.set(watch)
    try:
        yield
    finally:
        WATCH.reset(token)


def cpu_limit_seconds(size: int) -> float:
    """The CPU time that a file of `size` bytes may take.

    >>> cpu_limit_seconds(50_000_000), cpu_limit_seconds(400_000_000)
    (180.0, 1020.0)
    """
    return BASE_SECONDS + SECONDS_PER_100_MB * size / 100_000_000


def run_in_sandbox(job: ImportJob) -> dict[str, Any]:
    """The report of a job; raises SalesFileError or AmbiguousValue with one sentence."""
    if not WORKER_SLOTS.acquire(timeout=BASE_SECONDS):
        raise SalesFileError(_("Other files are being imported: try again in a minute."))
    try:
        own = os.path.getsize(job.path) if os.path.isfile(job.path) else 0
        limit = cpu_limit_seconds(own + job.base_bytes)
        code = run_worker(job, limit)
    finally:
        WORKER_SLOTS.release()
    return read_report(job, code, limit)


def run_worker(job: ImportJob, cpu_seconds: float) -> int | None:
    """The exit code of the process; None when it was stopped after its time."""
    command = [sys.executable, "-m", "registry.datasets.importing.sandbox.worker"]
    environment = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    with (Path(job.folder) / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env={**environment, **WORKER_VARIABLES},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    order = {
        "job": job.as_json(),
        "parent": os.getpid(),
        "memory": settings.IMPORT_MEMORY_MB << 20,
        "seconds": int(cpu_seconds) + 1,
    }
    try:
        message = json.dumps({**order, "locale": str(settings.LOCALE_PATHS[0])}).encode()
        await_process(process, message, WALL_CLOCK_FACTOR * cpu_seconds, Path(job.folder))
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait()
    return process.returncode


def await_process(process: subprocess.Popen[bytes], message: bytes, seconds: float, folder: Path) -> None:
    """Sends the message and waits for the end; raises TimeoutExpired, and what a watch raises."""
    watch, ends = WATCH.get(), time.monotonic() + seconds
    given: bytes | None = message
    while True:
        left = max(0.0, ends - time.monotonic())
        try:
            process.communicate(given, min(WATCH_SECONDS, left) if watch else left)
            return
        except subprocess.TimeoutExpired:
            given = None
            if watch is None or time.monotonic() >= ends:
                raise
        watch(read_progress(folder))


def read_report(job: ImportJob, code: int | None, cpu_seconds: float) -> dict[str, Any]:
    """The report that the process wrote; raises SalesFileError or AmbiguousValue when it has none."""
    words = {"file": job.name, "seconds": int(cpu_seconds), "memory": settings.IMPORT_MEMORY_MB}
    report = Path(job.folder) / "report.json"
    if code is None or code == -signal.SIGXCPU:
        raise SalesFileError(
            _("Reading %(file)s was stopped after %(seconds)d seconds: split it into smaller files.") % words
        )
    if code != 0:
        errors = (Path(job.folder) / "errors.txt").read_text(errors="replace")[-2000:].strip()
        logger.warning("import of %s ended with %s: %s", job.path, code, errors.rpartition("\n")[2])
    if code != 0 or not report.is_file() or report.stat().st_size > MAX_REPORT_BYTES:
        raise SalesFileError(
            _("%(file)s is damaged or needs more than %(memory)d MB to read: split it or save it again.")
            % words
        )
    result: dict[str, Any] = json.loads(report.read_bytes())
    if "question" in result:
        raise AmbiguousValue(result["problem"], result["question"], result["options"])
    if "problem" in result:
        raise SalesFileError(result["problem"])
    return result
