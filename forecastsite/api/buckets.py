"""A bucket of tokens for each key, in the memory of this web server.

Where there may be several servers, `shared_limits` lets each count what the others allowed.
"""

from __future__ import annotations

import time
from collections import OrderedDict

BURST_SECONDS = 15  # a key that was silent for this long may ask as often at once
MAX_BUCKETS = 10_000  # keys remembered; those that asked longest ago are forgotten


class Buckets:
    """The tokens left of each key."""

    def __init__(self, per_minute: int) -> None:
        self.rate = per_minute / 60
        self.size = max(1.0, self.rate * BURST_SECONDS)
        self.left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # tokens, at that time

    def take(self, name: bytes) -> float:
        """0 if the key may ask now, else the seconds until it may."""
        now = time.monotonic()
        tokens, at = self.left.pop(name, (self.size, now))
        tokens = min(self.size, tokens + (now - at) * self.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
        self.left[name] = (tokens if wait else tokens - 1, now)
        if len(self.left) > MAX_BUCKETS:
            self.left.popitem(last=False)
        return wait

    def spend(self, name: bytes, number: int) -> None:
        """Takes tokens for requests that another server allowed; at worst the bucket is empty twice over."""
        if number > 0 and name in self.left:
            tokens, at = self.left[name]
            self.left[name] = (max(-self.size, tokens - number), at)
