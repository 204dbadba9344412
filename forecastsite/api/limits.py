"""How often a key may ask.

Asked before Django is, so that a program that runs wild costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from forecastsite.api.buckets import Buckets
from forecastsite.api.shared_limits import SharedCounts
from registry.lib.refusals import API_PREFIX, CONTENT_TYPE, SENTENCES, problem_response

MAX_HEADER = 200  # bytes of a header that tell keys apart

AsgiApp = Callable[[dict[str, Any], Callable[..., Any], Callable[..., Any]], Any]


def limit_api_requests(pages: AsgiApp) -> AsgiApp:
    """An application that answers 429 to a key that asks too often."""
    buckets = Buckets(settings.API_REQUESTS_PER_MINUTE)
    shared = None if settings.HAS_OWN_DATABASE else SharedCounts(buckets)

    async def application(
        scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if not scope["path"].startswith(API_PREFIX):
            await pages(scope, receive, send)
            return
        headers = dict(scope["headers"])
        name = headers.get(b"authorization", b"")[:MAX_HEADER]
        wait = buckets.take(name)
        if not wait:
            if shared is not None:
                shared.note(name)
                shared.exchange_when_due()
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
