"""The address of the client, also behind proxies: sign-in limits and the audit log look at it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def use_client_address(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: puts the client's address in place of the proxy's, with TRUSTED_PROXIES."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        address = find_client_address(request.headers.get("X-Forwarded-For", ""), settings.TRUSTED_PROXIES)
        if address:
            request.META["REMOTE_ADDR"] = address
        return get_response(request)

    return middleware


def find_client_address(forwarded: str, proxies: int) -> str:
    """The address that the outermost trusted proxy saw; empty without one.

    Each proxy appends the address that it saw, so only the last `proxies` entries can be trusted.

    >>> find_client_address("6.6.6.6, 203.0.113.7", 1), find_client_address("203.0.113.7, 10.0.0.2", 2)
    ('203.0.113.7', '203.0.113.7')
    >>> find_client_address("203.0.113.7", 0), find_client_address("203.0.113.7", 2)
    ('', '')
    >>> find_client_address("203.0.113.7:5000", 1), find_client_address("[2001:db8::1]:5000", 1)
    ('203.0.113.7', '2001:db8::1')
    """
    entries = [entry.strip() for entry in forwarded.split(",")]
    if not proxies or len(entries) < proxies:
        return ""
    return parse_address(entries[-proxies])


def parse_address(entry: str) -> str:
    """The IP address of an entry with or without port; empty if it is none."""
    host, _colon, port = entry.rpartition(":")
    if entry.startswith("["):
        entry = entry[1:].partition("]")[0]
    elif port.isascii() and port.isdigit() and ":" not in host and host:
        entry = host
    try:
        return str(ipaddress.ip_address(entry))
    except ValueError:
        return ""
