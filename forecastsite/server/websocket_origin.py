"""Restricts WebSockets to the site's own pages: the Origin must match in scheme, host and port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

Receive = Callable[..., Any]
Send = Callable[..., Any]


class SameWebsocketOrigin:
    """Refuses handshakes from foreign pages; channels' own check accepts other ports of the same host."""

    def __init__(self, inner: Callable[[dict[str, Any], Receive, Send], Awaitable[None]]) -> None:
        self.app = inner
        self.deny_app = WebsocketDenier.as_asgi()

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if is_own_websocket_origin(scope):
            await self.app(scope, receive, send)
        else:
            await self.deny_app(scope, receive, send)


def is_own_websocket_origin(scope: dict[str, Any]) -> bool:
    """Whether the Origin header matches the requested address or a trusted origin."""
    headers = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in scope["headers"]}
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    known = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return known and origin.lower() == f"{browser_scheme(scope, headers)}://{host.lower()}"


def browser_scheme(scope: dict[str, Any], headers: dict[str, str]) -> str:
    """http or https as the browser sees it, also behind a TLS proxy."""
    if settings.SECURE_PROXY_SSL_HEADER:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        if headers.get(name.removeprefix("HTTP_").replace("_", "-").lower()) == secure:
            return "https"
    return "https" if scope.get("scheme") in {"wss", "https"} else "http"
