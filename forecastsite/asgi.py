"""ASGI entry point: pages over HTTP, live progress over WebSocket."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

import django

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]


def build_application() -> AsgiApp:
    """The application; channels may only be imported after the apps are loaded."""
    django.setup(set_prefix=False)

    from channels.auth import AuthMiddlewareStack
    from channels.routing import ProtocolTypeRouter, URLRouter

    from forecastsite.api.limits import limit_api_requests
    from forecastsite.server.health import answer_health_checks
    from forecastsite.server.page_handler import PageHandler
    from forecastsite.server.websocket_origin import SameWebsocketOrigin
    from registry.lib.downloads import release_after_request
    from training.routing import websocket_urlpatterns

    sockets = SameWebsocketOrigin(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
    router: AsgiApp = ProtocolTypeRouter(
        {
            "http": answer_health_checks(limit_api_requests(release_after_request(PageHandler()))),
            "websocket": sockets,
        }
    )
    return router


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
application = build_application()
