"""Whether the web server answers: asked by the supervisor, answered before any page, session or database."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url

HEALTH_PATH = "/healthz"
CHECK_SECONDS = 10.0  # between two checks of the web server
TIMEOUT_SECONDS = 5.0
MAX_MISSES = 3  # checks in a row without an answer, before the web server is restarted
OK_HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


def answer_health_checks(pages: AsgiApp) -> AsgiApp:
    """An application that answers the health address itself: the server runs and its event loop turns."""

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["path"] != HEALTH_PATH:
            await pages(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": OK_HEADERS})
        await send({"type": "http.response.body", "body": b"ok\n"})

    return application


class WebCheck:
    """Checks the web server in a thread, so that a server that hangs does not hold up the supervisor."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.misses = 0
        self.next_at = 0.0
        self.thread: threading.Thread | None = None

    def is_hung(self) -> bool:
        """Whether several checks in a row got no answer; starts the next check when it is due."""
        is_checking = self.thread is not None and self.thread.is_alive()
        if not is_checking and time.monotonic() >= self.next_at:
            self.next_at = time.monotonic() + CHECK_SECONDS
            self.thread = threading.Thread(target=self.check, daemon=True, name="web-check")
            self.thread.start()
        return self.misses >= MAX_MISSES

    def check(self) -> None:
        """Asks once and counts."""
        self.misses = 0 if is_alive(self.port) else self.misses + 1

    def reset(self) -> None:
        """Begins anew, for a web server that was just started."""
        self.misses, self.next_at = 0, time.monotonic() + CHECK_SECONDS


def is_alive(port: int) -> bool:
    """Whether the web server answers its health address."""
    return fetch_status(port, HEALTH_PATH, {}) == 200


def is_answering(port: int) -> bool:
    """Whether the sign-in page answers."""
    host = next((name.lstrip(".") for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
    headers = {"Host": host, **({"X-Forwarded-Proto": "https"} if settings.HTTPS else {})}
    return fetch_status(port, resolve_url(settings.LOGIN_URL), headers) == 200


def fetch_status(port: int, path: str, headers: dict[str, str]) -> int | None:
    """The status of a page of this machine's web server; None without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def is_port_free(port: int) -> bool:
    """Whether no other process listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
