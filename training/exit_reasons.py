"""What a training process may use, and what its end means in plain words."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from django.utils.translation import gettext_noop

MEMORY_WORDS = ("MemoryError", "can't allocate memory", "not enough memory", "failed to map segment")
NO_MEMORY = (  # said in registry.lib.messages
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


@dataclass(frozen=True)
class ExitReason:
    """Why a training process ended, in one sentence, and whether another start may fare better."""

    text: str
    can_retry: bool = False


def explain_exit(code: int, stderr: str, megabytes: int, starved: bool = False) -> ExitReason:
    """What the end of a training process means that did not say why.

    `starved`: Linux has killed something for want of memory meanwhile. A kill or a crash may have been
    chance, and a want of memory may pass: those are worth another start from the checkpoint.

    >>> explain_exit(-9, "", 6000).text == KILLED, explain_exit(-9, "", 6000, starved=True).text == STARVED
    (True, True)
    >>> explain_exit(1, "numpy._core._exceptions._ArrayMemoryError: x", 6000).text[:42]
    'The training needed more memory than 6 GB:'
    >>> explain_exit(-11, "", 6000) == ExitReason(CRASHED, can_retry=True)
    True
    >>> explain_exit(1, "KeyError: 3", 6000) == ExitReason(BROKEN)
    True
    """
    if any(word in stderr for word in MEMORY_WORDS):
        return ExitReason(NO_MEMORY.format(limit=f"{megabytes / 1000:g}"), can_retry=True)
    if any(word in stderr for word in FULL_WORDS):
        return ExitReason(FULL)
    if code in CRASHES:
        return ExitReason(CRASHED, can_retry=True)
    if code < 0:
        return ExitReason(STARVED if starved else KILLED, can_retry=True)
    return ExitReason(BROKEN if code else SILENT)
