"""Why a training process ended, in one sentence for the user."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseError

from registry.lib.errors import gettext_noop

OUT_OF_MEMORY_MARKERS = ("MemoryError", "can't allocate memory", "not enough memory", "failed to map segment")
MEMORY_LIMIT_TEXT = gettext_noop(
    "The training needed more memory than {limit} GB: choose a smaller scope or a smaller network, "
    "or raise TRAINING_MEMORY_MB."
)
MACHINE_MEMORY_TEXT = gettext_noop(
    "The machine ran out of memory and killed the training: choose a smaller scope, or close other programs."
)
NO_MEMORY_CAUSE = gettext_noop("The training needed more memory than {limit} GB.")
MACHINE_MEMORY_CAUSE = gettext_noop("The machine ran out of memory and killed the training.")
DISK_FULL_MARKERS = ("No space left on device", "database or disk is full")
DISK_FULL_TEXT = gettext_noop(
    "The disk is full, so nothing was saved. Free some space, then start the training again."
)
KILLED_TEXT = gettext_noop(
    "Another program killed the training. Ask whoever runs the machine, then start it again."
)
KILLED_CAUSE = gettext_noop("Another program killed the training.")
CRASHED_TEXT = gettext_noop(
    "The training crashed inside a numeric library: choose another algorithm, or other settings."
)
CRASHED_CAUSE = gettext_noop("The training crashed inside a numeric library.")
NO_RESULT_TEXT = gettext_noop(
    "The training ended without a result. Look at the server's log, then start it again."
)
PROGRAM_ERROR_TEXT = gettext_noop(
    "The training stopped because of a program error. Look at the server's log, then start it again."
)
WORKER_INTERRUPTED_TEXT = gettext_noop("The worker interrupted the training ({error}). Start it again.")
INTERRUPTED_TEXT = gettext_noop("The training was interrupted ({error}). Start it again.")
LOST_CODE = 75  # exit code of a process that has lost another one of its training
LOST_TEXT = gettext_noop(
    "The training lost one of its processes. Look at the server's log, then start it again."
)
LOST_CAUSE = gettext_noop("The training lost one of its processes.")
CRASH_CODES = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}
UNEXPLAINED_TEXTS = {CRASHED_TEXT, NO_RESULT_TEXT, PROGRAM_ERROR_TEXT}  # the log says more


def is_disk_full(error: BaseException) -> bool:
    """Whether the error, of the file system or the database, means a full disk."""
    return isinstance(error, OSError | DatabaseError) and any(
        words in str(error) for words in DISK_FULL_MARKERS
    )


@dataclass(frozen=True)
class ExitReason:
    """Why a training process ended, with {places} for its values, and whether to retry.

    `text` says what to do about it; `cause`, for a retry, does not.
    """

    text: str
    can_retry: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)
    cause: str = ""

    def __str__(self) -> str:
        return self.text.format(**self.values)


def explain_exit(code: int, stderr: str, megabytes: int, had_oom_kill: bool = False) -> ExitReason:
    """The reason for the exit of a training process that did not give one itself.

    `had_oom_kill`: Linux has killed something for lack of memory meanwhile. A kill, a crash or a lack of
    memory may have been bad luck: a second attempt resumes from the checkpoint.

    >>> explain_exit(-9, "", 6000).text == KILLED_TEXT
    True
    >>> explain_exit(-9, "", 6000, had_oom_kill=True).text == MACHINE_MEMORY_TEXT
    True
    >>> explain_exit(1, "numpy._core._exceptions._ArrayMemoryError: x", 6000).values
    {'limit': '6'}
    >>> explain_exit(-11, "", 6000).cause == CRASHED_CAUSE
    True
    >>> explain_exit(1, "KeyError: 3", 6000) == ExitReason(PROGRAM_ERROR_TEXT)
    True
    """
    if any(word in stderr for word in OUT_OF_MEMORY_MARKERS):
        limit = {"limit": f"{megabytes / 1000:g}"}
        return ExitReason(MEMORY_LIMIT_TEXT, can_retry=True, values=limit, cause=NO_MEMORY_CAUSE)
    if any(word in stderr for word in DISK_FULL_MARKERS):
        return ExitReason(DISK_FULL_TEXT)
    if code in CRASH_CODES:
        return ExitReason(CRASHED_TEXT, can_retry=True, cause=CRASHED_CAUSE)
    if code < 0 and had_oom_kill:
        return ExitReason(MACHINE_MEMORY_TEXT, can_retry=True, cause=MACHINE_MEMORY_CAUSE)
    if code < 0 or code == LOST_CODE:
        text, cause = (KILLED_TEXT, KILLED_CAUSE) if code < 0 else (LOST_TEXT, LOST_CAUSE)
        return ExitReason(text, can_retry=True, cause=cause)
    return ExitReason(PROGRAM_ERROR_TEXT if code else NO_RESULT_TEXT)
