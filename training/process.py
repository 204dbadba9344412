"""What a training process may use, and what its end means in plain words."""

from __future__ import annotations

import os
import resource
import signal

from django.utils.translation import gettext_noop

MEMORY_WORDS = ("MemoryError", "can't allocate memory", "not enough memory", "failed to map segment")
NO_MEMORY = gettext_noop(
    "The training needs more memory than it may use. Choose a smaller scope or a smaller network, "
    "or raise TRAINING_MEMORY_MB."
)
FULL_WORDS = ("No space left on device", "database or disk is full")
FULL = gettext_noop("The disk is full: nothing was kept. Free some space, then start the training again.")
KILLED = gettext_noop(
    "The training was killed from outside, most likely because the machine ran out of memory. "
    "Choose a smaller scope or close other programs, then start it again."
)
CRASHED = gettext_noop(
    "The training crashed inside a numeric library. Start it again, with another algorithm if it repeats."
)
SILENT = gettext_noop("The training ended without a result. Look at the server's log, then start it again.")
BROKEN = gettext_noop(
    "The training stopped at an error of the program. Look at the server's log, then start it again."
)
CRASHES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


def take_less(megabytes: int) -> None:
    """Lower priority than the web process, and a limit of address space (torch itself maps about 1 GB)."""
    os.nice(10)
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def reason(code: int, stderr: str) -> str:
    """One plain sentence for a training process that ended without saying why.

    >>> reason(-9, "") == KILLED, reason(1, "numpy._core._exceptions._ArrayMemoryError: x") == NO_MEMORY
    (True, True)
    >>> reason(-11, "") == CRASHED, reason(0, "") == SILENT, reason(1, "KeyError: 3") == BROKEN
    (True, True, True)
    """
    if any(word in stderr for word in MEMORY_WORDS):
        return NO_MEMORY
    if any(word in stderr for word in FULL_WORDS):
        return FULL
    if code in CRASHES:
        return CRASHED
    if code < 0:
        return KILLED
    return BROKEN if code else SILENT
