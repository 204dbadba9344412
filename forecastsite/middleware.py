"""Middleware: audits downloads and answers requests whose body was too large."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import parse_header_parameters

from forecastsite.server.body_limit import REFUSED_HEADER
from registry.access.audit import AuditAction, record_action

View = Callable[[HttpRequest], HttpResponseBase]


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
        if REFUSED_HEADER in request.headers:
            return render(request, "413.html", {"most": settings.MAX_UPLOAD_MB}, status=413)
        return get_response(request)

    return middleware
