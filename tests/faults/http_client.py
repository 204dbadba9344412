"""A person without a browser: signs in and sends forms."""

from __future__ import annotations

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
import uuid

from tests.helpers.installation import PASSWORD, USER, Site

QUICK = "seasonal_naive"  # a training of a few seconds
FORM = {"dataset": 1, "kind": "global", "algorithm": QUICK, "horizon": 14, "budget": 1, "seed": 0}
KNOBS = {"knob-past_days": 28, "knob-block": 7, "knob-steps": 0}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given) -> None:
        return None


class Person:
    """Signed in."""

    def __init__(self, site: Site) -> None:
        self.address = f"http://127.0.0.1:{site.port}"
        self.jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(NoRedirect, urllib.request.HTTPCookieProcessor(self.jar))
        self.timeout = 10
        self.open = lambda *given, timeout=None: opener.open(*given, timeout=timeout or self.timeout)
        self.open(f"{self.address}/login/")
        assert self.send("/login/", username=USER, password=PASSWORD) == "/"

    @property
    def cookie(self) -> str:
        return "; ".join(f"{one.name}={one.value}" for one in self.jar)

    def send(self, path: str, **fields: object) -> str | None:
        """The address that the answer leads to; None when there was no such answer."""
        token = next(one.value for one in self.jar if one.name == "csrftoken")
        data = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}).encode()
        try:
            self.open(urllib.request.Request(self.address + path, data))
        except urllib.error.HTTPError as answer:
            return answer.headers.get("Location")
        except OSError:
            return None
        return None

    def bring(self, name: str, content: bytes) -> tuple[str, str]:
        """Uploads a file for a new dataset: the address that the answer leads to ("" for none), its page."""
        token = next(one.value for one in self.jar if one.name == "csrftoken")
        edge = uuid.uuid4().hex
        fields = {"csrfmiddlewaretoken": token, "name": name}
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{a}"\r\n\r\n{b}\r\n'
            for a, b in fields.items()
        ]
        file = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        data = "".join([*parts, file]).encode() + content + f"\r\n--{edge}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        request = urllib.request.Request(f"{self.address}/data/upload/", data, kind)
        try:
            return "", self.open(request, timeout=300).read().decode()
        except urllib.error.HTTPError as answer:
            return answer.headers.get("Location") or f"error {answer.code}", ""

    def train(self) -> str | None:
        """The id of the run that was acknowledged; None when the form was not answered so."""
        where = self.send("/train/", form_token=uuid.uuid4(), **FORM, **KNOBS) or ""
        return where.removeprefix("/runs/").rstrip("/") if where.startswith("/runs/") else None
