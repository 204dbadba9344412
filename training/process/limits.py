"""Priority and memory limits of a training process, and what it used."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

TRAINING_NICENESS = 10
OOM_SCORE = 500  # when memory runs out, Linux should kill the training and not the web server


def peak_memory_mb() -> int:
    """The peak memory of this process in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS, KB on Linux
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


def apply_limits(megabytes: int) -> None:
    """Lowers this process's priority and limits its address space (torch alone maps about 1 GB)."""
    os.nice(TRAINING_NICENESS)
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    write_proc_setting("oom_score_adj", OOM_SCORE)
    # with autogroup, sessions share the cores and nice counts only within one
    if os.getsid(0) == os.getpid():
        write_proc_setting("autogroup", TRAINING_NICENESS)


def write_proc_setting(name: str, number: int) -> None:
    """Writes a setting of this process, where the kernel has it."""
    with suppress(OSError):
        Path("/proc/self", name).write_text(str(number))


def count_oom_kills(counts: Path = Path("/proc/vmstat")) -> int | None:
    """Number of processes that Linux has killed for lack of memory since it started; None = unknown.

    >>> count_oom_kills(Path("/nowhere")) is None
    True
    """
    try:
        counters = dict(line.split() for line in counts.read_text().splitlines())
        return int(counters["oom_kill"])
    except (OSError, KeyError):
        return None
