"""What a training process may use, and what its end means in plain words."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext_noop

MEMORY_WORDS = ("MemoryError", "can't allocate memory", "not enough memory", "failed to map segment")
NO_MEMORY = (  # said in registry.said
    "The training needed more memory than {limit} GB: choose a smaller scope or a smaller network, "
    "or raise TRAINING_MEMORY_MB."
)
STARVED = gettext_noop(
    "The machine ran out of memory and killed the training: choose a smaller scope, or close other programs."
)
FULL_WORDS = ("No space left on device", "database or disk is full")
FULL = gettext_noop("The disk is full: nothing was kept. Free some space, then start the training again.")
KILLED = gettext_noop(
    "The training was killed from outside of this site: ask who runs the machine, then start it again."
)
CRASHED = gettext_noop(
    "The training crashed inside a numeric library: choose another algorithm, or other settings."
)
SILENT = gettext_noop("The training ended without a result. Look at the server's log, then start it again.")
BROKEN = gettext_noop(
    "The training stopped at an error of the program. Look at the server's log, then start it again."
)
CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


NICE = 10
FIRST_TO_GO = 500  # when memory runs out, Linux is to kill the training and not the web server


@dataclass(frozen=True)
class End:
    """Why a training process ended, in one sentence, and whether another start may fare better."""

    reason: str
    again: bool = False


def take_less(megabytes: int) -> None:
    """Lower priority than the web process, and a limit of address space (torch itself maps about 1 GB)."""
    os.nice(NICE)
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    tell_linux("oom_score_adj", FIRST_TO_GO)
    if os.getsid(0) == os.getpid():  # where sessions share the cores (autogroup), nice counts only inside one
        tell_linux("autogroup", NICE)


def tell_linux(name: str, number: int) -> None:
    """Sets what the kernel keeps of this process, if it keeps it."""
    with suppress(OSError):
        Path("/proc/self", name).write_text(str(number))


def killed_for_memory(counts: Path = Path("/proc/vmstat")) -> int | None:
    """How many processes Linux has killed for want of memory, here or in a container; None: not known.

    >>> killed_for_memory(Path("/nowhere")) is None
    True
    """
    try:
        found = dict(line.split() for line in counts.read_text().splitlines())
        return int(found["oom_kill"])
    except (OSError, KeyError):
        return None


def end_of(code: int, stderr: str, megabytes: int, starved: bool = False) -> End:
    """What the end of a training process means that did not say why.

    `starved`: Linux has killed something for want of memory meanwhile. A kill or a crash may have been
    chance, and a want of memory may pass: those are worth another start from the checkpoint.

    >>> end_of(-9, "", 6000).reason == KILLED, end_of(-9, "", 6000, starved=True).reason == STARVED
    (True, True)
    >>> end_of(1, "numpy._core._exceptions._ArrayMemoryError: x", 6000).reason[:42]
    'The training needed more memory than 6 GB:'
    >>> end_of(-11, "", 6000) == End(CRASHED, again=True), end_of(1, "KeyError: 3", 6000) == End(BROKEN)
    (True, True)
    """
    if any(word in stderr for word in MEMORY_WORDS):
        return End(NO_MEMORY.format(limit=f"{megabytes / 1000:g}"), again=True)
    if any(word in stderr for word in FULL_WORDS):
        return End(FULL)
    if code in CRASHES:
        return End(CRASHED, again=True)
    if code < 0:
        return End(STARVED if starved else KILLED, again=True)
    return End(BROKEN if code else SILENT)
