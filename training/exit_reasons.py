"""What a training process may use, and what its end means in plain words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from django.utils.translation import gettext_noop

OUT_OF_MEMORY_MARKERS = ("MemoryError", "can't allocate memory", "not enough memory", "failed to map segment")
MEMORY_LIMIT_TEXT = (  # said in registry.lib.messages
    "The training needed more memory than {limit} GB: choose a smaller scope or a smaller network, "
    "or raise TRAINING_MEMORY_MB."
)
MACHINE_MEMORY_TEXT = gettext_noop(
    "The machine ran out of memory and killed the training: choose a smaller scope, or close other programs."
)
DISK_FULL_MARKERS = ("No space left on device", "database or disk is full")
DISK_FULL_TEXT = gettext_noop(
    "The disk is full: nothing was kept. Free some space, then start the training again."
)
KILLED_TEXT = gettext_noop(
    "The training was killed from outside of this site: ask who runs the machine, then start it again."
)
CRASHED_TEXT = gettext_noop(
    "The training crashed inside a numeric library: choose another algorithm, or other settings."
)
NO_RESULT_TEXT = gettext_noop(
    "The training ended without a result. Look at the server's log, then start it again."
)
PROGRAM_ERROR_TEXT = gettext_noop(
    "The training stopped at an error of the program. Look at the server's log, then start it again."
)
CRASH_CODES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


@dataclass(frozen=True)
class ExitReason:
    """Why a training process ended, in one sentence, and whether another start may fare better."""

    text: str
    can_retry: bool = False


def explain_exit(code: int, stderr: str, megabytes: int, had_oom_kill: bool = False) -> ExitReason:
    """What the end of a training process means that did not say why.

    `had_oom_kill`: Linux has killed something for want of memory meanwhile. A kill or a crash may have been
    chance, and a want of memory may pass: those are worth another start from the checkpoint.

    >>> explain_exit(-9, "", 6000).text == KILLED_TEXT
    True
    >>> explain_exit(-9, "", 6000, had_oom_kill=True).text == MACHINE_MEMORY_TEXT
    True
    >>> explain_exit(1, "numpy._core._exceptions._ArrayMemoryError: x", 6000).text[:42]
    'The training needed more memory than 6 GB:'
    >>> explain_exit(-11, "", 6000) == ExitReason(CRASHED_TEXT, can_retry=True)
    True
    >>> explain_exit(1, "KeyError: 3", 6000) == ExitReason(PROGRAM_ERROR_TEXT)
    True
    """
    if any(word in stderr for word in OUT_OF_MEMORY_MARKERS):
        return ExitReason(MEMORY_LIMIT_TEXT.format(limit=f"{megabytes / 1000:g}"), can_retry=True)
    if any(word in stderr for word in DISK_FULL_MARKERS):
        return ExitReason(DISK_FULL_TEXT)
    if code in CRASH_CODES:
        return ExitReason(CRASHED_TEXT, can_retry=True)
    if code < 0:
        return ExitReason(MACHINE_MEMORY_TEXT if had_oom_kill else KILLED_TEXT, can_retry=True)
    return ExitReason(PROGRAM_ERROR_TEXT if code else NO_RESULT_TEXT)
