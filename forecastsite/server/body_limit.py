"""No request body larger than MAX_UPLOAD_MB is ever held: it is dropped while it arrives.

Django's own limits act only after daphne has the whole body in memory.
"""

from __future__ import annotations

import io
from typing import Any

import daphne.http_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings

REFUSED = "X-Body-Refused"


PATIENCE = 4  # a client that goes on sending so many times the limit is cut off
ROOM = 1 << 20  # for the other fields of a form


class GuardedRequest(WebRequest):
    """Counts the body while it arrives; of a body that is too large nothing is kept."""

    refused = False
    arrived = 0
    content: Any

    @property
    def most(self) -> int:
        return (int(settings.MAX_UPLOAD_MB) << 20) + ROOM

    def gotLength(self, length: int | None) -> None:
        self.refused = (length or 0) > self.most
        super().gotLength(0 if self.refused else length)

    def handleContentChunk(self, data: bytes) -> None:
        """Keeps the chunk unless there are too many of them already."""
        self.arrived += len(data)
        if not self.refused and self.arrived > self.most:
            self.refused = True
            self.content.close()
            self.content = io.BytesIO()
        if not self.refused:
            super().handleContentChunk(data)
        elif self.arrived > PATIENCE * self.most:
            self.channel.loseConnection()

    def process(self) -> Any:
        """Tells the application that there was a body, without the body."""
        self.requestHeaders.removeHeader(REFUSED.encode())
        if self.refused:
            self.requestHeaders.setRawHeaders(REFUSED.encode(), [b"yes"])
            self.requestHeaders.removeHeader(b"Content-Length")
        return super().process()


def install() -> None:
    """From now on daphne counts the bodies of its requests."""
    daphne.http_protocol.WebRequest = GuardedRequest
