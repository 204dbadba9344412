"""Odd requests to every address and form: no error 500, no bare page. FAULTS=full sends ten times more."""

from __future__ import annotations

import os
import random
import re
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from training import queue
from training.models import TrainingRun

REQUESTS = 3_000 if os.environ.get("FAULTS") == "full" else 300
SEED = 20_260_101
PLACE = re.compile(r"<(?:(\w+):)?(\w+)>")
FIELD = re.compile(r'<(?:input|select|textarea|button)[^>]*\bname="([^"]+)"')
SENT_ONCE = {"logout", "admin:logout", "password", "admin:password_change", "user_password_change"}
NAMES = ["q", "dataset", "v", "with", "version", "store", "product", "kind", "order", "export", "page", "p"]
NAMES += ["next", "who", "method", "state", "horizon", "algorithm", "_popup", "_to_field", "e", "o", "all"]
NAMES += ["at__gte", "at__year", "created_at__year", "id__in", "pk", "action", "_selected_action", "index"]
NAMES += ["language", "name", "budget", "seed", "form_token", "reason", "confirmed", "token", "plan"]
VALUES = [
    *("", " ", "0", "-1", "1", "7", "²", "٣", "７", "9" * 20, "9" * 400, "9" * 5_000, "1e400", "nan", "inf"),
    *("\0", "a\0b", "%00", "\ufeff", "\u202e", "😀" * 50, "x" * 300, "x" * 9_000, "'; DROP TABLE x; --"),
    *("<script>alert(1)</script>", "{{ 7 }}", "%s %d {0}", "=1+1", "＝1", "[]", "{}", "null", "true", "0x7"),
    *("csv", "xlsx", "2026-02-30", "0000-00-00", "99999-01-01", "delete_selected", "pin", "//evil.example"),
    *("00000000-0000-0000-0000-000000000000", "kan", "seasonal_naive", "zh-hans", "T" * 64, "global"),
]
CONTENT_TYPES = [
    "application/x-www-form-urlencoded; charset=utf-7",
    "application/x-www-form-urlencoded; charset=nonsense",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/json",
    "multipart/form-data",
    "multipart/form-data; boundary=\xe4",
    "multipart/form-data; boundary=" + "b" * 300,
    "text/plain; charset=idna",
    "",
]
BODIES = [b"", b"a=b", b"%ff=%fe&\xff", b"{", b"--b\r\n\r\n", b"x" * 5_000, b"&" * 2_000, b"a=" * 1_200]


def walk(resolver: Any, prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """Every address pattern with its name."""
    for one in resolver.url_patterns:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from walk(one, path, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            yield (
                f"{space}{one.name}",
                "/" + re.sub(r"^\^|\$$|\\Z", "", path).replace("^", "").replace("$", ""),
            )


class RequestGenerator:
    """Draws one odd request after the other; the same seed gives the same requests."""

    def __init__(self, client: Client, ids: list[str]) -> None:
        self.client, self.ids, self.draw = client, ids, random.Random(SEED)
        self.patterns = sorted(set(walk(get_resolver())))
        self.fields: dict[str, list[str]] = {}

    def value(self) -> str:
        return self.draw.choice(self.draw.choice([VALUES, self.ids]))

    def address(self, pattern: str) -> str:
        """The pattern filled with ids that exist, or with anything."""
        wrong = self.draw.random() < 0.3

        def fill(place: re.Match[str]) -> str:
            if wrong:
                return quote(self.value()[:3_000], safe="")
            kinds = {"uuid": [one for one in self.ids if "-" in one], "id": ["1"], "slug": ["buyer"]}
            return self.draw.choice(kinds.get(place[1] or "", self.ids))

        return PLACE.sub(fill, pattern)

    def query(self, names: list[str]) -> list[tuple[str, str]]:
        """Some of the names with odd values, now and then very many."""
        count = self.draw.choice([0, 1, 1, 2, 3, 6])
        if self.draw.random() < 0.05:
            return [(self.draw.choice(names), "1") for _field in range(self.draw.choice([900, 1_100, 5_000]))]
        return [(self.draw.choice(names), self.value()) for _field in range(count)]

    def form(self, address: str) -> dict[str, Any]:
        """The fields of the form at the address, most of them as the browser would send them."""
        if address not in self.fields:
            page = self.client.get(address)
            source = b"" if page.streaming else page.content
            self.fields[address] = sorted(set(FIELD.findall(source.decode(errors="replace"))))
        known = [name for name in self.fields[address] if name != "csrfmiddlewaretoken"]
        return dict(self.query(known + NAMES[-10:]) if known else self.query(NAMES))

    def send(self, name: str, pattern: str) -> tuple[str, Any]:
        """One request; what was sent, and the response."""
        address, way = self.address(pattern), self.draw.random()
        options = {"headers": {"HX-Request": "true"}} if self.draw.random() < 0.2 else {}
        if way < 0.5 or name in SENT_ONCE:
            text = "&".join(f"{quote(key)}={quote(value)}" for key, value in self.query(NAMES))
            return f"GET {address}?{text}"[:300], self.client.get(f"{address}?{text}", **options)
        if way < 0.85:
            form = self.form(address)
            return f"POST {address} {str(form)[:300]}", self.client.post(address, form, **options)
        if way < 0.95:
            kind, body = self.draw.choice(CONTENT_TYPES), self.draw.choice(BODIES)
            return f"POST {address} {kind} {body[:40]!r}", self.client.generic("POST", address, body, kind)
        method = self.draw.choice(["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "NONSENSE"])
        return f"{method} {address}", self.client.generic(method, address)


def fault(response: Any) -> str:
    """What is wrong with the response; empty when it is a page, a redirect or a file."""
    if response.status_code >= 500:
        return str(response.status_code)
    if response.status_code >= 400 and response.request["REQUEST_METHOD"] != "HEAD":
        is_page = b"<html" in response.content and b"<h1" in response.content
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        is_fragment = response.headers.get("HX-Retarget") is not None
        return "" if is_page or is_json or is_fragment else f"bare {response.status_code}"
    return ""


@pytest.mark.slow
@pytest.mark.parametrize("who", ["administrator", "Curator"])
def test_no_odd_request_gets_an_error_or_a_bare_page(who, browse, admin, user, forecast, upload, settings):
    settings.WAITING_PER_USER = 2
    client = browse(admin if who == "administrator" else user)
    client.raise_request_exception = False
    run = queue.enqueue_run(forecast.dataset_version, forecast.version.model.scope, "seasonal_naive")
    rows = (forecast, forecast.version, forecast.dataset_version, upload, run)
    generator = RequestGenerator(client, [str(row.pk) for row in rows] + ["1", "2", str(uuid.uuid4())])
    faults = []
    for number in range(REQUESTS // 2):
        name, pattern = generator.patterns[number % len(generator.patterns)]
        if number >= len(generator.patterns):
            name, pattern = generator.draw.choice(generator.patterns)
        sent, response = generator.send(name, pattern)
        if wrong := fault(response):
            faults.append(f"{wrong}: {sent}")
        if "_auth_user_id" not in client.session:
            client.force_login(admin if who == "administrator" else user)
    assert not faults, "\n".join(faults)
    waiting = TrainingRun.objects.filter(state=TrainingRun.State.QUEUED).exclude(created_by=None)
    assert waiting.count() <= 2 * settings.WAITING_PER_USER
