"""Django's handler with one way into a thread and back for each request, in threads that stay.

Django's own goes there and back for each middleware that is not asynchronous, and starts a thread for each
request, whose connection to the database ends with it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

MAX_IDLE = 8  # threads that wait for a request; each has its connection to the database


class PageHandler(ASGIHandler):
    """Serves pages; their views and all middleware are synchronous."""

    def __init__(self) -> None:
        self.idle: list[ThreadPoolExecutor] = []
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """The whole chain as synchronous functions."""
        super().load_middleware(is_async=False)

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        """Serves one request in one thread: that which waited for the shortest time, or else a new one."""
        thread = self.idle.pop() if self.idle else ThreadPoolExecutor(1, thread_name_prefix="page")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        finally:
            if len(self.idle) < MAX_IDLE:
                self.idle.append(thread)
            else:
                thread.submit(connections.close_all)
                thread.shutdown(wait=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, made in the thread of this request."""
        return await sync_to_async(self.get_response)(request)
