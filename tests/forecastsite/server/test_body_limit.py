"""A real web server: bodies that are too large are dropped on the way, and everybody else is served."""

from __future__ import annotations

import http.client
import http.cookies
import threading
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.helpers.hostile_files import files
from tests.helpers.installation import PASSWORD, USER
from tests.helpers.trials import FULL
from tests.helpers.web_server import running_web_server

MEGABYTE = b"x" * (1 << 20)

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of a web server that takes 2 MB."""
    with running_web_server(tmp_path_factory.mktemp("data"), MAX_UPLOAD_MB="2") as server:
        yield server.port, server.process


def ask(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/login/")
    status = connection.getresponse().status
    connection.close()
    return status


def post(port: int, megabytes: int, chunked: bool) -> int | None:
    """The status; None when the server cut the connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    body = (MEGABYTE for _ in range(megabytes))
    length = {} if chunked else {"Content-Length": str(megabytes << 20)}
    try:
        connection.request("POST", "/data/upload/", body=body, headers=length, encode_chunked=chunked)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_gets_a_413_and_no_memory(server, chunked: bool) -> None:
    port, process = server
    before = process.memory_info().rss
    assert post(port, 8, chunked) == 413
    assert post(port, 100, chunked) in (None, 413)
    assert process.memory_info().rss - before < 20 << 20
    assert ask(port) == 200


def test_others_are_served_while_large_bodies_arrive(server) -> None:
    port, _process = server
    senders = [threading.Thread(target=post, args=(port, 100, False)) for _ in range(3)]
    for sender in senders:
        sender.start()
    times = []
    for _ in range(20):
        since = time.monotonic()
        assert ask(port) == 200
        times.append(time.monotonic() - since)
    for sender in senders:
        sender.join()
    assert sorted(times)[18] < 0.5


def test_a_body_within_the_limit_reaches_the_pages(server) -> None:
    assert post(server[0], 1, False) == 403  # no form token, but read as a whole


class Browser:
    """Signed in; posts forms with their token."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, http.cookies.SimpleCookie()
        self.get("/login/")
        self.post("/login/", {"username": USER, "password": PASSWORD})

    def send(self, method: str, path: str, body: bytes = b"", kind: str = "") -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        said = "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())
        connection.request(method, path, body, {"Cookie": said, **({"Content-Type": kind} if kind else {})})
        response = connection.getresponse()
        response.text = response.read().decode()
        for cookie in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        connection.close()
        return response

    def get(self, path: str) -> http.client.HTTPResponse:
        return self.send("GET", path)

    def post(self, path: str, fields: dict[str, str], file: tuple[str, bytes] | None = None):
        fields = {**fields, "csrfmiddlewaretoken": self.cookies["csrftoken"].value}
        parts = [f'Content-Disposition: form-data; name="{a}"\r\n\r\n{b}'.encode() for a, b in fields.items()]
        if file:
            head = f'Content-Disposition: form-data; name="file"; filename="{file[0]}"\r\n\r\n'
            parts.append(head.encode() + file[1])
        body = b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"
        return self.send("POST", path, body, "multipart/form-data; boundary=frontier")


def test_hostile_files_in_the_browser_hurt_nobody_else(server) -> None:
    port, process = server
    browser = Browser(port)
    names = ["bomb.parquet", "laughs.xlsx", "noise.csv", "huge-number.csv"]
    if FULL:
        names += ["bomb.xlsx", "codes.csv", "fat.parquet"]
    bad = {name: content for name, content in files().items() if name in names and len(content) < 2 << 20}
    assert len(bad) >= 4
    browser.post("/data/upload/", {"name": "first"}, ("x.csv", b"date,sales\n"))
    before = process.memory_info().rss
    statuses: list[int] = []

    def attack() -> None:
        for name, content in bad.items():
            statuses.append(browser.post("/data/upload/", {"name": "evil"}, (name, content)).status)

    attacker = threading.Thread(target=attack)
    attacker.start()
    times = []
    while attacker.is_alive():
        since = time.monotonic()
        assert ask(port) == 200
        times.append(time.monotonic() - since)
        time.sleep(0.05)
    assert set(statuses) <= {200, 302}, "a page for people, never a server error"
    assert sorted(times)[int(len(times) * 0.95)] < 0.5
    assert process.memory_info().rss - before < 50 << 20
