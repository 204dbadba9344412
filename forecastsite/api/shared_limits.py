"""Lets the buckets of all web servers count what the others allowed.

Each server has one row for each key, which nobody else writes: what it has allowed in all. Every other second
it writes those that changed, in one statement, and takes from its own buckets by how much the rows of the
others grew. So a request costs no query, and while the database is silent each server limits for itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from datetime import timedelta

from django.db import DatabaseError, connections
from django.db.models import Sum
from django.utils import timezone

from forecastsite.api.buckets import MAX_BUCKETS, Buckets
from forecastsite.api.keys import hash_key, read_prefix
from forecastsite.api.models import ApiKey, KeyUse

EXCHANGE_SECONDS = 2.0
KEPT_FOR = timedelta(days=1)  # rows of servers that have ended
BEARER = b"bearer "

logger = logging.getLogger(__name__)
Counts = dict[bytes, int]  # by the header that tells keys apart


class SharedCounts:
    """What this server has allowed in all, and the sums of the others when it looked last."""

    def __init__(self, buckets: Buckets) -> None:
        self.buckets, self.server = buckets, uuid.uuid4().hex
        self.allowed: Counts = {}
        self.others: Counts = {}
        self.changed: set[bytes] = set()
        self.next_at = 0.0
        self.task: asyncio.Task[None] | None = None

    def note(self, name: bytes) -> None:
        """Counts a request that was allowed."""
        if name in self.allowed or len(self.allowed) < MAX_BUCKETS:
            self.allowed[name] = self.allowed.get(name, 0) + 1
            self.changed.add(name)

    def exchange_when_due(self) -> None:
        """Begins an exchange every other second; call it in the event loop."""
        if time.monotonic() >= self.next_at and (self.task is None or self.task.done()):
            self.next_at = time.monotonic() + EXCHANGE_SECONDS
            self.task = asyncio.create_task(self.exchange())

    async def exchange(self) -> None:
        """Tells the others and takes over what they tell."""
        counts = self.list_changes()
        try:
            self.take_over(await asyncio.to_thread(exchange_in_thread, self.server, counts))
        except DatabaseError as problem:
            logger.warning("keys are limited by each web server alone: %s", problem)
            self.changed |= counts.keys()

    def list_changes(self) -> Counts:
        """The counts that changed since the last time."""
        counts = {name: self.allowed[name] for name in self.changed}
        self.changed = set()
        return counts

    def take_over(self, sums: Counts) -> None:
        """Takes from the buckets by how much the sums of the others grew."""
        for name, number in sums.items():
            self.buckets.spend(name, number - self.others.get(name, number))
        self.others |= sums


def exchange_in_thread(server: str, counts: Counts) -> Counts:
    """The same in a thread of its own, whose connections are closed."""
    try:
        return exchange_counts(server, counts)
    finally:
        connections.close_all()


def exchange_counts(server: str, counts: Counts) -> Counts:
    """Writes what this server has allowed, and returns the sums of the others; only for keys that exist."""
    found, now = find_keys(list(counts)), timezone.now()
    KeyUse.objects.bulk_create(
        [KeyUse(key_id=pk, server=server, count=counts[name], at=now) for name, pk in found.items()],
        update_conflicts=True,
        unique_fields=["key", "server"],
        update_fields=["count", "at"],
    )
    KeyUse.objects.filter(at__lt=now - KEPT_FOR).delete()
    rows = KeyUse.objects.filter(key__in=found.values()).exclude(server=server).order_by()
    sums = dict(rows.values_list("key").annotate(sum=Sum("count")))
    return {name: sums.get(pk, 0) for name, pk in found.items()}


def find_keys(names: list[bytes]) -> dict[bytes, int]:
    """The id of the key that each header has, where there is one."""
    texts = {
        name: name[len(BEARER) :].decode("latin-1").strip()
        for name in names
        if name.lower().startswith(BEARER)
    }
    rows = ApiKey.objects.filter(prefix__in={read_prefix(text) for text in texts.values()})
    known = dict(rows.values_list("digest", "pk"))
    digests = {name: hash_key(text) for name, text in texts.items()}
    return {name: known[digest] for name, digest in digests.items() if digest in known}
