"""What a training process may use: priority, memory, and how much it took."""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path


def peak_memory_mb() -> int:
    """The most memory that this process has taken so far."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // (1024 * 1024 if sys.platform == "darwin" else 1024)


TRAINING_NICENESS = 10

OOM_SCORE = 500  # when memory runs out, Linux is to kill the training and not the web server


def apply_limits(megabytes: int) -> None:
    """Lower priority than the web process, and a limit of address space (torch itself maps about 1 GB)."""
    os.nice(TRAINING_NICENESS)
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    write_proc_setting("oom_score_adj", OOM_SCORE)
    if os.getsid(0) == os.getpid():  # where sessions share the cores (autogroup), nice counts only inside one
        write_proc_setting("autogroup", TRAINING_NICENESS)


def write_proc_setting(name: str, number: int) -> None:
    """Sets what the kernel keeps of this process, if it keeps it."""
    with suppress(OSError):
        Path("/proc/self", name).write_text(str(number))


def count_oom_kills(counts: Path = Path("/proc/vmstat")) -> int | None:
    """How many processes Linux has killed for want of memory, here or in a container; None: not known.

    >>> count_oom_kills(Path("/nowhere")) is None
    True
    """
    try:
        found = dict(line.split() for line in counts.read_text().splitlines())
        return int(found["oom_kill"])
    except (OSError, KeyError):
        return None
