"""What views of every app share."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django_htmx.middleware import HtmxDetails


class HtmxRequest(HttpRequest):
    """A request as HtmxMiddleware leaves it."""

    htmx: HtmxDetails
    user: User  # all pages but a few ask for a sign-in


def render_confirmation(
    request: HttpRequest, title: str, sentence: str, button: str, back: str
) -> HttpResponse:
    """The page that asks before something is done: the button posts to the same address, `back` leaves."""
    context = {"title": title, "sentence": sentence, "button": button, "back": back}
    return render(request, "confirm.html", context)


def stream_csv(content: Iterator[str], name: str) -> StreamingHttpResponse:
    """A file of text that spreadsheets open with its letters whole."""
    response = StreamingHttpResponse(encode_with_bom(content), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def encode_with_bom(content: Iterator[str]) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf"
    for text in content:
        yield text.encode()
