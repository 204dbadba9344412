"""Limits sign-ins per address, and how many passwords are checked at once.

axes locks one user name at one address. An address from which many names are tried waits, too, but not the
browsers that have signed in before: one guesser behind a shared address locks nobody out.
"""

from __future__ import annotations

import threading
from datetime import timedelta

from axes.helpers import get_client_ip_address
from axes.models import AccessFailureLog
from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

MAX_FAILURES = 30  # wrong passwords of one address within the lockout time
DEVICE_COOKIE = "known_device"  # signed; names the accounts that have signed in with this browser
DEVICE_SALT = "forecastsite.known_device"
DEVICE_SECONDS = 365 * 24 * 3600
MAX_DEVICE_NAMES = 5
CHECKS_AT_ONCE = 2  # password checks, which are slow on purpose
password_checks = threading.BoundedSemaphore(CHECKS_AT_ONCE)


def is_address_blocked(request: HttpRequest) -> bool:
    """Whether this address has tried too many wrong passwords and this browser is not known."""
    address = get_client_ip_address(request)
    since = timezone.now() - timedelta(hours=settings.AXES_COOLOFF_TIME)
    failures = AccessFailureLog.objects.filter(ip_address=address, attempt_time__gt=since)
    if failures[:MAX_FAILURES].count() < MAX_FAILURES:
        return False
    return request.POST.get("username", "") not in read_known_names(request)


def read_known_names(request: HttpRequest) -> list[str]:
    """The user names that have signed in with this browser; empty for a forged or old cookie."""
    try:
        names = signing.loads(
            request.COOKIES.get(DEVICE_COOKIE, ""), salt=DEVICE_SALT, max_age=DEVICE_SECONDS
        )
    except signing.BadSignature:
        return []
    return [str(name) for name in names] if isinstance(names, list) else []


def remember_device(request: HttpRequest, response: HttpResponseBase, name: str) -> None:
    """Notes in the browser that this name has signed in with it."""
    names = [name, *(one for one in read_known_names(request) if one != name)][:MAX_DEVICE_NAMES]
    response.set_cookie(
        DEVICE_COOKIE,
        signing.dumps(names, salt=DEVICE_SALT),
        max_age=DEVICE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
