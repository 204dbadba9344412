"""No request body larger than MAX_UPLOAD_MB is ever held: it is dropped while it arrives.

Django's own limits act only after daphne has the whole body in memory.
"""

from __future__ import annotations

import io
from typing import Any

import daphne.http_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings

REFUSED_HEADER = "X-Body-Refused"


CUTOFF_FACTOR = 4  # a client that goes on sending so many times the limit is cut off
FORM_BYTES = 1 << 20  # for the other fields of a form


class LimitedBodyRequest(WebRequest):
    """Counts the body while it arrives; of a body that is too large nothing is kept."""

    is_refused = False
    received_bytes = 0
    content: Any

    @property
    def max_bytes(self) -> int:
        return (int(settings.MAX_UPLOAD_MB) << 20) + FORM_BYTES

    def gotLength(self, length: int | None) -> None:
        self.is_refused = (length or 0) > self.max_bytes
        super().gotLength(0 if self.is_refused else length)

    def handleContentChunk(self, data: bytes) -> None:
        """Keeps the chunk unless there are too many of them already."""
        self.received_bytes += len(data)
        if not self.is_refused and self.received_bytes > self.max_bytes:
            self.is_refused = True
            self.content.close()
            self.content = io.BytesIO()
        if not self.is_refused:
            super().handleContentChunk(data)
        elif self.received_bytes > CUTOFF_FACTOR * self.max_bytes:
            self.channel.loseConnection()

    def process(self) -> Any:
        """Tells the application that there was a body, without the body."""
        self.requestHeaders.removeHeader(REFUSED_HEADER.encode())
        if self.is_refused:
            self.requestHeaders.setRawHeaders(REFUSED_HEADER.encode(), [b"yes"])
            self.requestHeaders.removeHeader(b"Content-Length")
        return super().process()


def install_body_limit() -> None:
    """From now on daphne counts the bodies of its requests."""
    daphne.http_protocol.WebRequest = LimitedBodyRequest
