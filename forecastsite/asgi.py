"""ASGI entry point: pages over HTTP, live progress over WebSocket."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

App = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def build() -> App:
    """The whole application; the apps must be loaded before channels' own imports."""
    pages = get_asgi_application()

    from channels.auth import AuthMiddlewareStack
    from channels.routing import ProtocolTypeRouter, URLRouter

    from forecastsite.server.websocket_origin import SameOrigin
    from training.routing import websocket_urlpatterns

    sockets = SameOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
    router: App = ProtocolTypeRouter({"http": pages, "websocket": sockets})
    return router


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
application = build()
