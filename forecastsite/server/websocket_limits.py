"""Bounds what a page may send over its WebSocket: nothing, in effect, because live pages only listen.

daphne puts every message into an unbounded queue before the application sees it.
"""

from __future__ import annotations

import time
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

MAX_FRAME_BYTES = 1024  # of a frame that is received; daphne's own limit counts for sent messages, too
MAX_FRAMES, FRAME_SECONDS = 10, 10.0  # frames allowed in this many seconds, pings included
CLOSE_POLICY = 1008


class ListeningWebSocket(WebSocketProtocol):
    """Discards what the client sends, and closes the socket of a client that keeps sending."""

    frames_since = 0.0
    frame_count = 0

    def onMessageFrameBegin(self, length: int) -> None:
        """Counts a frame of a message, also one of a message that never ends; refuses a large one."""
        self.count_frame()
        if length > MAX_FRAME_BYTES and not self.muted:
            self.close_noisy_socket()
        super().onMessageFrameBegin(length)

    def onPing(self, payload: bytes) -> None:
        """Answers a ping, unless there are too many."""
        self.count_frame()
        if not self.muted:
            super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        """Counts a pong that may be unsolicited."""
        self.count_frame()
        super().onPong(payload)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Discards the message before it reaches a queue."""

    def count_frame(self) -> None:
        """Closes the socket and stops reading from it after too many frames."""
        now = time.monotonic()
        if now - self.frames_since > FRAME_SECONDS:
            self.frames_since, self.frame_count = now, 0
        self.frame_count += 1
        if self.frame_count > MAX_FRAMES and not self.muted:
            self.close_noisy_socket()

    def close_noisy_socket(self) -> None:
        """Says why, reads nothing more, and lets the closing timeout drop the connection."""
        self.sendClose(code=CLOSE_POLICY, reason="too many messages")
        self.application_queue.put_nowait({"type": "websocket.disconnect", "code": CLOSE_POLICY})
        self.muted = True
        pause: Any = self.transport.pauseProducing
        pause()


def install_websocket_limits() -> None:
    """Makes daphne use it for all sockets."""
    WebSocketFactory.protocol = ListeningWebSocket
