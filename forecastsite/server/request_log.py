"""Middleware: a name for every request, a log line when it is answered, and its seconds for /metrics."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from forecastsite.server.json_logs import EXTRA
from registry.lib.log_context import name_in_logs

REQUEST_HEADER = "X-Request-ID"  # of a proxy, which is kept, and of the answer
PLAIN_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
MEASURED_PATH_PREFIX = "/metrics"  # is not measured itself

logger = logging.getLogger("forecastsite.requests")


class LogRequests:
    """Outermost middleware; the time is that until the answer begins, not until a download has been sent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.observe: Callable[[str, str, int, float], None] | None = None
        if settings.METRICS_TOKEN or settings.METRICS_ADDRESSES:
            from forecastsite.server.metrics import observe_request  # a library that others need not load

            self.observe = observe_request

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name, begun = request_name(request.headers.get(REQUEST_HEADER, "")), time.monotonic()
        with name_in_logs(request=name):
            response = self.get_response(request)
            self.note(request, response, time.monotonic() - begun)
        response.headers[REQUEST_HEADER] = name
        return response

    def note(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        """The log line, and the seconds by page."""
        match = request.resolver_match
        page = (match.view_name if match else "") or "unknown"
        method = request.method or ""
        if self.observe is not None and not request.path_info.startswith(MEASURED_PATH_PREFIX):
            self.observe(page, method, response.status_code, seconds)
        if logger.isEnabledFor(logging.INFO):
            user = getattr(request, "user", None)
            facts = {
                "method": method,
                "path": request.path,
                "page": page,
                "status": response.status_code,
                "seconds": round(seconds, 4),
                "user": user.pk if user is not None else None,
            }
            logger.info("%s %s %s", method, request.path, response.status_code, extra={EXTRA: facts})


def request_name(given: str) -> str:
    """The name that a proxy gave, if it is plain, else a new one.

    >>> request_name("4f1a-77"), len(request_name("a b")), len(request_name(""))
    ('4f1a-77', 16, 16)
    """
    return given if PLAIN_NAME.fullmatch(given) else uuid.uuid4().hex[:16]
