"""Middleware that leads programs past what only browsers need: sessions, messages, datasets in the address.

The library of the API is loaded by the first program that asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

API_ROOT = "/api/v1/"
MIDDLEWARE = (  # of all that settings.MIDDLEWARE has after this one
    "django.middleware.locale.LocaleMiddleware",
    "forecastsite.middleware.reject_large_body",
    "forecastsite.middleware.reject_unreadable_request",
    "django.middleware.common.CommonMiddleware",
    "forecastsite.middleware.audit_downloads",
)


class AnswerPrograms:
    """Answers what is below /api/v1/; a session of a browser opens nothing there, only a key."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.answer_page = get_response
        chain: Any = answer_api
        for name in reversed(MIDDLEWARE):
            chain = import_string(name)(chain)
        self.answer_program: Callable[[HttpRequest], Any] = convert_exception_to_response(chain)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_program = request.path_info.startswith(API_ROOT)
        response: HttpResponseBase = (self.answer_program if is_program else self.answer_page)(request)
        return response


def answer_api(request: HttpRequest) -> HttpResponseBase:
    """The answer of the route that the address names."""
    from forecastsite.api.v1 import answer

    return answer(request, request.path_info.removeprefix(API_ROOT))
