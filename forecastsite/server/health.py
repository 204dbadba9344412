"""Whether the web server answers: asked by the supervisor, answered before any page, session or database.

`/healthz` is the web server alone. `/readyz` is all that the site needs: this host as its supervisor sees it
(`host_status`), and database, migrations, file store and queues (`readiness`).
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.shortcuts import resolve_url

from forecastsite.server.readiness import ReadinessProbe

HEALTH_PATH, READY_PATH = "/healthz", "/readyz"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104  of this machine
CHECK_SECONDS = 10.0  # between two checks of the web server
TIMEOUT_SECONDS = 5.0
MAX_MISSES = 3  # checks in a row without an answer, before the web server is restarted

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


def answer_health_checks(pages: AsgiApp) -> AsgiApp:
    """An application that answers the two addresses itself: the server runs and its event loop turns."""
    readiness = ReadinessProbe()

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["path"] not in (HEALTH_PATH, READY_PATH):
            await pages(scope, receive, send)
            return
        status, kind, body = 200, b"text/plain", "ok"
        if scope["path"] == READY_PATH:
            status, kind, body = await readiness.answer()
        headers = [(b"content-type", kind + b"; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": f"{body}\n".encode()})

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


def local_address() -> str:
    """The address at which this machine finds its own web server."""
    return "127.0.0.1" if settings.LISTEN_ADDRESS == EVERY_ADDRESS else str(settings.LISTEN_ADDRESS)


def fetch_status(port: int, path: str, headers: dict[str, str]) -> int | None:
    """The status of a page of this machine's web server; None without an answer."""
    connection = http.client.HTTPConnection(local_address(), port, timeout=TIMEOUT_SECONDS)
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
            probe.bind((settings.LISTEN_ADDRESS, port))
        except OSError:
            return False
        return True
