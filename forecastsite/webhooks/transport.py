"""Sends one POST to an address of somebody else's choosing: never into our own network, never further."""

from __future__ import annotations

import http.client
import socket
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

TIMEOUT_SECONDS = 10.0
PORTS = {"http": 80, "https": 443}


class Undeliverable(Exception):
    """The address cannot be reached, or may not be; the text is one sentence."""


def post(address: str, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer; redirects are not followed. Raises Undeliverable."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Undeliverable(_("This is no address of a web server.")) from None
    if not host or parts.scheme not in PORTS:
        raise Undeliverable(_("This is no address of a web server."))
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = connect(parts.scheme, host, port)
        connection.request("POST", target, body, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        raise Undeliverable(str(problem) or type(problem).__name__) from problem
    finally:
        connection.close()


def connect(scheme: str, host: str, port: int) -> socket.socket:
    """A connection to the address that was checked, so that a name cannot lead elsewhere meanwhile."""
    found = resolve(host, port)
    allowed = [one for one in found if is_allowed(one, scheme)]
    if len(allowed) < len(found):  # one private address of several is enough to refuse
        raise Undeliverable(
            _("%(host)s is a private address, or not https: the operator can allow it.") % {"host": host}
        )
    plain = socket.create_connection((allowed[0], port), timeout=TIMEOUT_SECONDS)
    if scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=host)


def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host; raises Undeliverable."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as problem:
        raise Undeliverable(_("%(host)s is not known.") % {"host": host}) from problem
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def is_allowed(address: str, scheme: str) -> bool:
    """Whether it is a public address over https, or in WEBHOOK_NETWORKS."""
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped or found
    if any(found in network for network in settings.WEBHOOK_NETWORKS):
        return True
    return scheme == "https" and found.is_global and not found.is_multicast
