"""daphne with bounded memory: bodies stay on disk until they are read, answers wait for their reader."""

from __future__ import annotations

import asyncio
import os
import time
from functools import partial
from io import BytesIO
from typing import Any

import daphne.server
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory
from daphne.server import Server
from django.conf import settings

from forecastsite.server.connections import BoundedFactory, raise_file_limit
from forecastsite.server.heap import LoadedObjects, trim_heap

CHUNK_BYTES = 64 << 10  # of a request body handed to the application at a time
LARGE_BYTES = 1 << 20  # of a body after which unreachable objects are collected
TRIM_SECONDS = 20.0  # between two returns of free memory to the system


class RequestEvents:
    """The events of one request: its body in chunks from `content`, then whatever daphne puts in."""

    def __init__(self, content: Any) -> None:
        self.content: Any = content
        self.queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.size = content.seek(0, os.SEEK_END)
        content.seek(0)

    def put_nowait(self, event: dict[str, Any]) -> None:
        """Queues an event of daphne, except the empty body that it finds in place of the real one."""
        if event["type"] != "http.request":
            self.queue.put_nowait(event)
            if event["type"] == "http.disconnect":
                self.close()

    async def get(self) -> dict[str, Any]:
        """The next event; waits for it."""
        if self.content is None:
            return await self.queue.get()
        chunk = self.content.read(CHUNK_BYTES)
        has_more = len(chunk) == CHUNK_BYTES
        if not has_more:
            self.close()
        return {"type": "http.request", "body": chunk, "more_body": has_more}

    def close(self) -> None:
        """Deletes the body."""
        if self.content is not None:
            self.content.close()
            self.content = None


class BoundedServer(Server):
    """The web server."""

    trimmed_at = 0.0
    took_upload = False  # since the heap was trimmed
    loaded = LoadedObjects()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Starts the application as daphne does, but leaves the body of a request in its file."""
        if scope["type"] != "http":
            return super().create_application(protocol, scope)
        events = RequestEvents(protocol.content)
        protocol.content = BytesIO()
        self.took_upload |= events.size > LARGE_BYTES
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope=scope, receive=events.get, send=partial(self.handle_reply, protocol))
        if protocol not in self.connections:
            running.close()
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(
            running, loop=asyncio.get_event_loop()
        )
        return events

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Sends a message, then waits until the client has taken it."""
        connection = protocol.transport
        await super().handle_reply(protocol, message)
        if connection is not None:
            await connection.wait_until_writable()

    def timeout_checker(self) -> None:
        """Every two seconds: daphne's own timeouts, and connections that have waited for too long."""
        self.http_factory.drop_overdue()
        self.loaded.exempt()
        if time.monotonic() - self.trimmed_at > TRIM_SECONDS:
            self.trimmed_at = time.monotonic()
            trim_heap(self.took_upload)
            self.took_upload = False
        super().timeout_checker()


def build_factory(server: Any) -> BoundedFactory:
    """The factory of all connections, with as many as the limit on open files allows."""
    return BoundedFactory(HTTPFactory(server), raise_file_limit(settings.MAX_CONNECTIONS))


def install_bounded_server() -> None:
    """Makes daphne's command line use it."""
    daphne.server.HTTPFactory = build_factory
    CommandLineInterface.server_class = BoundedServer
