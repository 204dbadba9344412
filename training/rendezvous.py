"""Where the processes of one training find each other: an address in the row of the run."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext_noop

from training.events import RunEvent
from training.models import TrainingRun

if TYPE_CHECKING:
    from training.learning.distributed import ProcessGroup

LOOK_SECONDS = 0.5  # between two looks at the row


class LeaseLost(Exception):
    """The run was stopped or belongs to another attempt now; this attempt must save nothing."""


@contextmanager
def lead_group(run: TrainingRun) -> Iterator[ProcessGroup]:
    """The group that this process leads; who does not come in time is left out. Raises LeaseLost."""
    from training.learning.distributed import ALONE, Rendezvous

    wanted = run.processes * run.hosts
    if wanted == 1:
        yield ALONE
        return
    meeting = Rendezvous(own_address() if run.hosts > 1 else "127.0.0.1")
    if not run.transition(run.owned_by_this_attempt, [], rendezvous=meeting.address):
        raise LeaseLost("The run was stopped or taken over.")
    group = meeting.form_group(wanted)
    text, values = gettext_noop("{count} processes learn together"), {"count": group.size}
    run.transition(run.owned_by_this_attempt, [RunEvent(kind=RunEvent.Kind.LOG, text=text, data=values)])
    try:
        yield group
    finally:
        group.close()


def join_group(run: TrainingRun) -> ProcessGroup | None:
    """The group of this attempt, once it meets; None if it is complete. Raises LeaseLost, ProcessLost."""
    from training.learning import distributed

    rows = TrainingRun.objects.filter(run.owned_by_this_attempt, pk=run.pk)
    while not (address := rows.values_list("rendezvous", flat=True).first()):
        if address is None:
            raise LeaseLost("The run was stopped or taken over.")
        time.sleep(LOOK_SECONDS)
    return distributed.join_group(address)


def own_address() -> str:
    """Where other hosts reach this one."""
    return settings.TRAINING_ADDRESS or socket.gethostbyname(socket.gethostname())
