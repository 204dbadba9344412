"""Bounds the connections of the web server: their number, how long they wait, how much is queued for them.

daphne has no limit on connections and no deadline for headers or bodies, and it writes without waiting for
the client, so that a slow reader would leave a whole download in memory.
"""

from __future__ import annotations

import asyncio
import resource
import time
from contextlib import suppress
from typing import Any

from twisted.internet.protocol import connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

HEADERS, BODY, ANSWERING, IDLE, DROPPED = "headers", "body", "answering", "idle", "dropped"
# Seconds that a connection may spend in a phase. An answer has no limit, but its client must keep reading.
PHASE_SECONDS = {HEADERS: 20.0, BODY: 60.0, IDLE: 60.0}
MIN_BODY_BYTES = 16 << 10  # a body that arrives more slowly than this per PHASE_SECONDS is dropped
STALLED_READER_SECONDS = 60.0  # a client that reads nothing of its answer for longer is dropped
RESERVED_FILES = 256  # open files that are left for databases, uploads and static files


class WriteGate:
    """A Twisted push producer: open while the transport accepts data, closed while its buffer is full."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.is_open = asyncio.Event()
        self.is_open.set()

    def pauseProducing(self) -> None:
        """The buffer is full."""
        self.is_open.clear()
        self.inner.pauseProducing()

    def resumeProducing(self) -> None:
        """The buffer is empty again."""
        self.is_open.set()
        self.inner.resumeProducing()

    def stopProducing(self) -> None:
        """The connection is closed: nobody should wait any longer."""
        self.is_open.set()
        self.inner.stopProducing()


class BoundedConnection(ProtocolWrapper):
    """One TCP connection and what it is waiting for."""

    gate: WriteGate | None = None
    phase = HEADERS

    def __init__(self, factory: Any, wrapped: Any) -> None:
        super().__init__(factory, wrapped)
        self.enter_phase(HEADERS)

    def enter_phase(self, phase: str) -> None:
        """Notes what the connection waits for now."""
        self.phase, self.since, self.received = phase, time.monotonic(), 0

    def dataReceived(self, data: bytes) -> None:
        """Counts the data; the first byte after an answer begins the next request."""
        if self.phase == IDLE:
            self.enter_phase(HEADERS)
        self.received += len(data)
        super().dataReceived(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Puts the gate between transport and producer."""
        if streaming:
            self.gate = producer = WriteGate(producer)
        super().registerProducer(producer, streaming)

    def connectionLost(self, reason: Any = connectionDone) -> None:
        """Releases whoever waits for the client to read."""
        if self.gate is not None:
            self.gate.is_open.set()
        super().connectionLost(reason)

    async def wait_until_writable(self) -> None:
        """Waits until the client has read what was sent; drops a client that reads nothing."""
        if self.gate is None or self.gate.is_open.is_set():
            return
        try:
            await asyncio.wait_for(self.gate.is_open.wait(), STALLED_READER_SECONDS)
        except TimeoutError:
            self.drop()

    @property
    def is_overdue(self) -> bool:
        """Whether the connection has been in its phase for too long; a body that makes progress is not."""
        if time.monotonic() - self.since < PHASE_SECONDS.get(self.phase, float("inf")):
            return False
        if self.phase == BODY and self.received >= MIN_BODY_BYTES:
            self.enter_phase(BODY)
            return False
        return True

    def drop(self) -> None:
        """Closes the connection; Twisted forgets it a moment later."""
        self.phase = DROPPED
        if self.gate is not None:
            self.gate.is_open.set()
        transport: Any = self.transport
        transport.abortConnection()


class BoundedFactory(WrappingFactory):
    """Accepts at most `limit` connections; a further one replaces the one that has waited longest."""

    protocol = BoundedConnection

    def __init__(self, wrapped: Any, limit: int) -> None:
        super().__init__(wrapped)
        self.limit = limit

    def buildProtocol(self, addr: Any) -> BoundedConnection | None:  # type: ignore[override]
        """The protocol of a new connection; None, which closes it, when all others are being answered."""
        if len(self.protocols) >= self.limit:
            waiting = [one for one in self.protocols if one.phase in PHASE_SECONDS]
            if not waiting:
                return None
            min(waiting, key=lambda one: one.since).drop()
        return BoundedConnection(self, self.wrappedFactory.buildProtocol(addr))

    def drop_overdue(self) -> None:
        """Closes every connection that has waited for too long."""
        for connection in [one for one in self.protocols if one.is_overdue]:
            connection.drop()


def raise_file_limit(wanted: int) -> int:
    """Raises the soft limit on open files as far as needed and allowed; returns the connections it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        target = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(16, min(wanted, soft - min(RESERVED_FILES, soft // 2)))
