"""Refused requests: one sentence in the reader's language, as a page for people and as JSON for programs.

The JSON follows RFC 9457, problem details.
"""

from __future__ import annotations

import shutil
import sys
from http.client import responses
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

API_PREFIX = "/api/"  # of addresses that programs ask
CONTENT_TYPE = "application/problem+json"
FULL_DISK_BYTES = 8 << 20  # with less free space SQLite may not even open
RETRY_SECONDS = {"busy": 10, "full": 300}
FULL_MESSAGES = ("is full", "no space left", "could not extend file")
UNREADABLE_MESSAGES = ("disk i/o error", "unable to open database file")  # SQLite on a full disk
BUSY_MESSAGES = (
    "is locked",
    "deadlock",
    "timeout",
    "could not connect",
    "connection",
    "too many clients",
    "starting up",
    "shutting down",
)
OUTAGE_SENTENCES = {
    "busy": _("The database is busy, so nothing was saved. Try again in a few seconds."),
    "full": _(
        "The server's disk is full, so nothing was saved. Ask whoever runs the server to free space or run a "
        "clean-up."
    ),
}
SENTENCES: dict[int, Any] = {
    400: _("The server could not understand this request. Go back, reload the page and try again."),
    404: _("The address is wrong, or what it showed was deleted."),
    405: _("This address can't be used in this way. Open the page again and use its buttons."),
    413: _("That is more than this page accepts. Files are uploaded on the Data page."),
    414: _("The address is too long. Choose fewer filters or fewer models to compare."),
    429: _("Too many requests. Wait a moment and try again."),
}
BAD_REQUESTS: list[tuple[type[Exception], Any]] = [
    (TooManyFieldsSent, _("The form has too many fields. Nothing was saved.")),
    (TooManyFilesSent, _("The form has too many files. Nothing was saved.")),
    (RequestDataTooBig, _("The text in the form is too long. Nothing was saved.")),
]


def refuse(request: HttpRequest, status: int, sentence: Any = "") -> HttpResponse:
    """The page of this status with its sentence; the same as JSON for a program."""
    sentence = sentence or SENTENCES.get(status, SENTENCES[400])
    if is_api_request(request):
        return problem_response(status, sentence)
    context = {"sentence": sentence}
    return render(request, "refusal.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handler of status 400: says what was wrong where that helps."""
    sentence = next((text for kind, text in BAD_REQUESTS if isinstance(exception, kind)), "")
    return refuse(request, 400, sentence)


def server_error(request: HttpRequest) -> HttpResponse:
    """Handler of status 500; a busy database or a full disk is 503, wherever it was noticed."""
    error = sys.exc_info()[1]
    unavailable = explain_unavailable(request, error) if isinstance(error, Exception) else None
    return unavailable or HttpResponse(render_to_string("500.html", request=None), status=500)


def explain_unavailable(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Status 503 with a sentence for a busy database or a full disk; None for any other error.

    The page asks the database nothing.
    """
    kind = classify_outage(error)
    if not kind:
        return None
    if is_api_request(request):
        response: HttpResponse = problem_response(503, OUTAGE_SENTENCES[kind])
    else:
        response = HttpResponse(render_to_string("503.html", {"kind": kind}), status=503)
    response["Retry-After"] = str(RETRY_SECONDS[kind])
    return response


def classify_outage(error: Exception) -> str:
    """`full`, `busy`, or an empty text for an error that waiting does not mend."""
    text = str(error).lower()
    if not isinstance(error, OperationalError | InterfaceError | OSError):
        return ""
    if any(message in text for message in FULL_MESSAGES):
        return "full"
    if isinstance(error, OSError):
        return ""
    if any(message in text for message in UNREADABLE_MESSAGES):
        return "full" if shutil.disk_usage(settings.DATA_DIR).free < FULL_DISK_BYTES else ""
    return "busy" if any(message in text for message in BUSY_MESSAGES) else ""


class Problem(Exception):
    """A request of a program that cannot be served: status, one sentence, and further members."""

    def __init__(self, status: int, detail: Any, **more: Any) -> None:
        super().__init__(str(detail))
        self.status, self.detail, self.more = status, detail, more


def is_api_request(request: HttpRequest) -> bool:
    """Whether a program asks, which gets JSON and no page."""
    return request.path_info.startswith(API_PREFIX)


def problem_response(status: int, detail: Any, **more: Any) -> JsonResponse:
    """The answer; members without a value are left out.

    >>> problem_response(404, "There is no such run.", errors=None).content
    b'{"type": "about:blank", "title": "Not Found", "status": 404, "detail": "There is no such run."}'
    """
    facts = {"type": "about:blank", "title": responses.get(status, ""), "status": status}
    facts["detail"] = str(detail)
    facts |= {name: value for name, value in more.items() if value}
    return JsonResponse(facts, status=status, content_type=CONTENT_TYPE)
