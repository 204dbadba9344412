"""Many watchers of one training in one process: `python -m tests.faults.websocket_clients ADDRESS COUNT`.

The cookie comes on stdin, one JSON object goes to stdout. It is nice, and reads a message that it has seen on
another socket only once, so that it takes little of the cores on which the training is timed.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import sys
import time
from datetime import datetime

from websockets.asyncio.client import connect

WHOLE = 'id="live"'
TIME = re.compile(r'<time datetime="([^"]+)"')


class Watchers:
    """How late each message was, and how each socket ended."""

    def __init__(self, address: str, cookie: str) -> None:
        self.address, self.cookie = address, cookie
        self.known: dict[str, tuple[float | None, bool]] = {}
        self.late: list[float] = []
        self.size = 0

    def read(self, message: str) -> tuple[float | None, bool]:
        """When the first thing that it tells happened (None: it is the whole page), and whether it ends."""
        if message not in self.known:
            fresh = [] if WHOLE in message else TIME.findall(message)
            stamps = [datetime.fromisoformat(found).timestamp() for found in fresh]
            self.known[message] = (min(stamps, default=None), 'data-state="done"' in message)
        return self.known[message]

    async def watch(self) -> tuple[bool, int | None]:
        """Whether the end was shown, and the code of the close."""
        origin = self.address.replace("ws://", "http://").split("/ws/")[0]
        given = {"origin": origin, "additional_headers": {"Cookie": self.cookie}, "compression": None}
        ended = False
        async with connect(self.address, max_size=None, open_timeout=60, **given) as page:
            async for message in page:
                happened, end = self.read(message)
                if happened:
                    self.late.append(time.time() - happened)
                ended = ended or end
                self.size += len(message)
        return ended, page.close_code

    async def all(self, count: int) -> list[tuple[bool, int | None]]:
        return await asyncio.gather(*(self.watch() for _number in range(count)))


def main(address: str, count: str) -> None:
    os.nice(19)
    watchers = Watchers(address, sys.stdin.read())
    ends = asyncio.run(watchers.all(int(count)))
    late = sorted(watchers.late) or [0.0]  # nothing happens any more
    used = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "shown": sum(end == (True, 1000) for end in ends),
        "messages": len(watchers.late),
        "bytes": watchers.size // max(1, len(late)),
        "p50": round(late[len(late) // 2], 3),
        "p95": round(late[int(0.95 * len(late))], 3),
        "own_cpu": round(used.ru_utime + used.ru_stime, 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
