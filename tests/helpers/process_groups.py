"""A group of two processes that learn together, inside one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from training.learning.distributed import Rendezvous, join_group


def in_group(lead, follow):
    """What the process that leads gives, and the other: a thread here, with sockets of its own."""
    meeting = Rendezvous()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(lambda: follow(join_group(meeting.address)))
        group = meeting.form_group(2, seconds=60)
        assert (group.rank, group.size) == (0, 2)
        try:
            result = lead(group)
        finally:
            group.close()
        followed = other.result(60)
    return result, followed
