"""Drops request bodies that are too large while they arrive: files at the upload page, small forms elsewhere.

Django's own limits apply only after daphne has read the whole body.
"""

from __future__ import annotations

import io
import re
from typing import Any

import daphne.http_protocol
from daphne.http_protocol import WebRequest
from django.conf import settings

from forecastsite.server.connections import ANSWERING, BODY, IDLE
from registry.datasets.addresses import INSIDE

REFUSED_HEADER = "X-Body-Refused"
CUTOFF_FACTOR = 4  # a client that keeps sending up to this multiple of the limit is disconnected
FORM_BYTES = 1 << 20  # allowance for the other fields of a form
UPLOAD_PATH = b"/data/upload/"
UPLOAD_PATHS = (UPLOAD_PATH, b"/data/upload/stock/")  # only these take files, from a signed-in browser
API_UPLOADS = re.compile(  # and these, with a key
    rb"/api/v1/(datasets(/\d+/(sales|check|stock|terms))?|sources/\d+/files/[^/]+)"
)
KEY_START = b"Bearer fs_"


def is_upload(path: bytes) -> bool:
    """Whether files are sent to this address, which may be inside a dataset.

    >>> is_upload(b"/data/upload/"), is_upload(b"/d/3/data/upload/stock/?again=1"), is_upload(b"/d/3/train/")
    (True, True, False)
    """
    address = path.partition(b"?")[0].decode("latin-1")
    inside = INSIDE.fullmatch(address)
    return (inside[2] if inside else address).encode("latin-1") in UPLOAD_PATHS


class LimitedBodyRequest(WebRequest):
    """Counts the body while it arrives and discards one that is too large."""

    is_refused = False
    received_bytes = 0
    body_path = b""
    content: Any

    @property
    def max_bytes(self) -> int:
        """The largest body accepted."""
        if self.takes_file:
            return (int(settings.MAX_UPLOAD_MB) << 20) + FORM_BYTES
        return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) + FORM_BYTES

    @property
    def takes_file(self) -> bool:
        """Whether a browser with a session or a program with a key uploads; the page itself checks both."""
        if API_UPLOADS.fullmatch(self.body_path.partition(b"?")[0]):
            headers = self.requestHeaders.getRawHeaders(b"Authorization") or []
            return any(header.startswith(KEY_START) for header in headers)
        cookies = b";".join(self.requestHeaders.getRawHeaders(b"Cookie") or [])
        has_session = f"{settings.SESSION_COOKIE_NAME}=".encode() in cookies
        return has_session and is_upload(self.body_path)

    def gotLength(self, length: int | None) -> None:
        """Refuses a body whose declared length is too large."""
        self.transport.enter_phase(BODY)
        self.body_path = getattr(self.channel, "_path", b"")  # `path` is set only after the body
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
        self.transport.enter_phase(ANSWERING)
        self.requestHeaders.removeHeader(REFUSED_HEADER.encode())
        if self.is_refused:
            self.requestHeaders.setRawHeaders(
                REFUSED_HEADER.encode(), [b"file" if self.takes_file else b"form"]
            )
            self.requestHeaders.removeHeader(b"Content-Length")
        return super().process()

    def finish(self) -> None:
        """Ends the answer; the connection may be used again."""
        if self.transport is not None:
            self.transport.enter_phase(IDLE)
        super().finish()


def install_body_limit() -> None:
    """Makes daphne limit the bodies of all requests."""
    daphne.http_protocol.WebRequest = LimitedBodyRequest
