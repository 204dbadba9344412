"""Drops request bodies larger than MAX_UPLOAD_MB while they arrive.

Django's own limits apply only after daphne has read the whole body.
"""

from __future__ import annotations

import io
from typing import Any

import daphne.http_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings

REFUSED_HEADER = "X-Body-Refused"
CUTOFF_FACTOR = 4  # a client that keeps sending up to this multiple of the limit is disconnected
FORM_BYTES = 1 << 20  # allowance for the other fields of a form


class LimitedBodyRequest(WebRequest):
    """Counts the body while it arrives and discards one that is too large."""

    is_refused = False
    received_bytes = 0
    content: Any

    @property
    def max_bytes(self) -> int:
        """The largest body accepted."""
        return (int(settings.MAX_UPLOAD_MB) << 20) + FORM_BYTES

    def gotLength(self, length: int | None) -> None:
        """Refuses a body whose declared length is too large."""
        self.is_refused = (length or 0) > self.max_bytes
        super().gotLength(0 if self.is_refused else length)

    def handleContentChunk(self, data: bytes) -> None:
        """Stores the chunk unless the body is too large."""
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
        """Passes on the request; a refused body is replaced by a header."""
        self.requestHeaders.removeHeader(REFUSED_HEADER.encode())
        if self.is_refused:
            self.requestHeaders.setRawHeaders(REFUSED_HEADER.encode(), [b"yes"])
            self.requestHeaders.removeHeader(b"Content-Length")
        return super().process()


def install_body_limit() -> None:
    """Makes daphne limit the bodies of all requests."""
    daphne.http_protocol.WebRequest = LimitedBodyRequest
