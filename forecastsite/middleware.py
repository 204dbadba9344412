"""Middleware: audits downloads and answers requests that cannot be served with a page that says why."""

from __future__ import annotations

import codecs
import logging
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _

from forecastsite.server.body_limit import REFUSED_HEADER
from forecastsite.server.long_address import MAX_ADDRESS_BYTES
from registry.access.audit import AuditAction, record_action
from registry.lib.refusals import API_PREFIX, explain_unavailable, is_api_request, refuse

View = Callable[[HttpRequest], HttpResponseBase]
READABLE_CHARSETS = {"utf-8", "ascii"}  # what browsers send
EXPLAINED_STATUSES = {400, 404, 405, 413, 414, 429}

logger = logging.getLogger(__name__)


def audit_downloads(get_response: View) -> View:
    """Middleware: records every download in the audit log, whichever view sent it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        kind, values = parse_header_parameters(response.headers.get("Content-Disposition", ""))
        if kind == "attachment" and request.method == "GET" and response.status_code == 200:
            by = request.user if isinstance(request.user, User) else None
            record_action(
                AuditAction.EXPORTED, values.get("filename", request.path), by, request.get_full_path()
            )
        return response

    return middleware


def reject_large_body(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a clear page, where Django would complain about a missing CSRF token."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if limit := request.headers.get(REFUSED_HEADER):
            if limit == "form":
                return refuse(request, 413)
            if is_api_request(request):
                return refuse(request, 413, _("At most %(most)d MB.") % {"most": settings.MAX_UPLOAD_MB})
            return render(request, "413.html", {"most": settings.MAX_UPLOAD_MB}, status=413)
        return get_response(request)

    return middleware


def reject_unreadable_request(get_response: View) -> View:
    """Middleware: refuses addresses that are too long and forms that are not in UTF-8."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        address = request.path + request.META.get("QUERY_STRING", "")
        if len(address) > MAX_ADDRESS_BYTES:
            request.path = request.path_info = API_PREFIX if is_api_request(request) else "/"
            request.META["QUERY_STRING"] = ""
            return refuse(request, 414)
        if "charset" in request.META.get("CONTENT_TYPE", "").lower():
            is_readable = is_readable_charset(request)
            request.encoding = "utf-8"  # Django knows no other spelling of it
            if not is_readable:
                return refuse(request, 400)
        return get_response(request)

    return middleware


def is_readable_charset(request: HttpRequest) -> bool:
    """Whether the body is in UTF-8; true without a charset."""
    charset = parse_header_parameters(request.META.get("CONTENT_TYPE", ""))[1].get("charset")
    if not charset:
        return True
    try:
        return codecs.lookup(charset).name in READABLE_CHARSETS
    except (LookupError, ValueError):
        return False


class ExplainRefusals:
    """Middleware: a page in place of an empty refusal, and status 503 for a busy database or a full disk."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code not in EXPLAINED_STATUSES or response.streaming:
            return response
        is_html = response.headers.get("Content-Type", "text/html").startswith("text/html")
        if is_html and isinstance(response, HttpResponse) and b"<html" not in response.content:
            page = refuse(request, response.status_code)
            for name in {"Allow", "Retry-After"} & set(response.headers):
                page.headers[name] = response.headers[name]
            return page
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The page for an outage; anything else is left to Django."""
        response = explain_unavailable(request, exception)
        if response is not None:
            logger.warning("%s %s: %s", request.method, request.path, exception)
        return response
