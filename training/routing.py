"""URLs of the WebSockets."""

from __future__ import annotations

from django.urls import path

from training.consumers import RunConsumer

websocket_urlpatterns = [path("ws/runs/<uuid:pk>/", RunConsumer.as_asgi(), name="run-socket")]
