"""How often a key may ask: a bucket of tokens for each, in the memory of this web server.

Asked before Django is, so that a program that runs wild costs next to nothing.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from registry.lib.refusals import API_PREFIX, CONTENT_TYPE, SENTENCES, problem_response

BURST_SECONDS = 15  # a key that was silent for this long may ask as often at once
MAX_BUCKETS = 10_000  # keys remembered; those that asked longest ago are forgotten
MAX_HEADER = 200  # bytes of a header that tell keys apart

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


class Buckets:
    """The tokens left of each key."""

    def __init__(self, per_minute: int) -> None:
        self.rate = per_minute / 60
        self.size = max(1.0, self.rate * BURST_SECONDS)
        self.left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # tokens, at that time

    def take(self, name: bytes) -> float:
        """0 if the key may ask now, else the seconds until it may."""
        now = time.monotonic()
        tokens, at = self.left.pop(name, (self.size, now))
        tokens = min(self.size, tokens + (now - at) * self.rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
        self.left[name] = (tokens if wait else tokens - 1, now)
        if len(self.left) > MAX_BUCKETS:
            self.left.popitem(last=False)
        return wait


def limit_api_requests(pages: AsgiApp) -> AsgiApp:
    """An application that answers 429 to a key that asks too often."""
    buckets = Buckets(settings.API_REQUESTS_PER_MINUTE)

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if not scope["path"].startswith(API_PREFIX):
            await pages(scope, receive, send)
            return
        headers = dict(scope["headers"])
        wait = buckets.take(headers.get(b"authorization", b"")[:MAX_HEADER])
        if not wait:
            await pages(scope, receive, send)
            return
        body = explain_limit(headers.get(b"accept-language", b"")[:MAX_HEADER])
        lines = [(b"content-type", CONTENT_TYPE.encode()), (b"cache-control", b"no-store")]
        lines.append((b"retry-after", str(math.ceil(wait)).encode()))
        await send({"type": "http.response.start", "status": 429, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    return application


@lru_cache(maxsize=100)
def explain_limit(languages: bytes) -> bytes:
    """The problem in the best of these languages."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = languages.decode("latin-1")
    with translation.override(translation.get_language_from_request(request)):
        return problem_response(429, SENTENCES[429]).content
