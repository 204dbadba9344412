"""Refusals for programs: JSON by RFC 9457 with our sentence in the caller's language."""

from __future__ import annotations

from http.client import responses
from typing import Any

from django.http import HttpRequest, JsonResponse

API_PREFIX = "/api/"  # of addresses that programs ask
CONTENT_TYPE = "application/problem+json"


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
