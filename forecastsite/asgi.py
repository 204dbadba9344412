"""ASGI entry point: pages over HTTP, live progress over WebSocket."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
application = get_asgi_application()
