"""Requests and responses that the views of every app share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import overload

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from registry.lib.downloads import StreamedFile

CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
allow_form_methods = require_http_methods(["GET", "HEAD", "POST"])


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


@overload
def download_response(content: bytes, name: str) -> HttpResponse: ...


@overload
def download_response(content: Iterable[bytes], name: str) -> StreamingHttpResponse: ...


def download_response(content: bytes | Iterable[bytes], name: str) -> HttpResponse | StreamingHttpResponse:
    """A file that the browser saves under the cleaned name; parts and open files are streamed."""
    content_type = CONTENT_TYPES[PurePath(name).suffix]
    response: HttpResponse | StreamingHttpResponse
    if isinstance(content, bytes):
        response = HttpResponse(content, content_type=content_type)
    else:  # an iterable without read() is streamed as it is, a file in blocks and with its length
        response = StreamedFile(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{clean_filename(name)}"'
    return response


def stream_csv(texts: Iterable[str], name: str) -> StreamingHttpResponse:
    """CSV text as a download; its byte order mark tells spreadsheets that it is UTF-8."""
    return download_response(encode_with_bom(texts), name)


def encode_with_bom(texts: Iterable[str]) -> Iterator[bytes]:
    """The texts in UTF-8 behind a byte order mark."""
    yield b"\xef\xbb\xbf"
    for text in texts:
        yield text.encode()


def clean_filename(name: str) -> str:
    """A file name without anything that a header or a file system could misread.

    >>> clean_filename('Berlin / 2026-v2.csv'), clean_filename('药店"1".xlsx'), clean_filename("药店.csv")
    ('Berlin_2026-v2.csv', '1.xlsx', 'file.csv')
    """
    suffix = PurePath(name).suffix
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", name.removesuffix(suffix)).strip("._-")
    return f"{stem or 'file'}{suffix}"
