"""What views of every app share."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest, StreamingHttpResponse
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as HtmxMiddleware leaves it."""

    htmx: HtmxDetails
    user: User  # all pages but a few ask for a sign-in


def stream_csv(content: Iterator[str], name: str) -> StreamingHttpResponse:
    """A file of text that spreadsheets open with its letters whole."""
    response = StreamingHttpResponse(encode_with_bom(content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def encode_with_bom(content: Iterator[str]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    for text in content:
        yield text.encode()
