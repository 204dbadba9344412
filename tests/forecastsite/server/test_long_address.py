"""Long addresses and large anonymous bodies at a real web server: a sentence, never a dropped connection."""

from __future__ import annotations

import http.client
import socket
import uuid
from collections.abc import Iterator

import pytest

from tests.helpers.web_server import WebServer, running_web_server

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with running_web_server(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.mark.parametrize("count", [250, 2_000, 20_000])
def test_a_long_list_in_the_address_gets_a_sentence(server: WebServer, count: int) -> None:
    ids = "&".join(f"with={uuid.uuid4()}" for _number in range(count))
    status, body = server.get(f"/models/compare/?{ids}")
    assert status == 414 and b"The address is too long" in body and b"site.css" in body


def test_the_connection_serves_the_next_request_after_a_long_address(server: WebServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    for path, status in (("/login/?a=" + "x" * 50_000, 414), ("/login/", 200)) * 2:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == status
    connection.close()


@pytest.mark.parametrize("piece", [1, 1_000])
def test_a_long_address_may_arrive_in_pieces(server: WebServer, piece: int) -> None:
    request = b"GET /login/?a=" + b"x" * 17_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), piece):
            connection.sendall(request[start : start + piece])
        assert connection.recv(100).startswith(b"HTTP/1.1 414")


def test_a_header_that_is_too_long_is_answered(server: WebServer) -> None:
    with server.connect() as connection:
        connection.sendall(
            b"GET /login/ HTTP/1.1\r\nHost: localhost\r\nCookie: " + b"x" * 70_000 + b"\r\n\r\n"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("path", "cookie"), [("/login/", ""), ("/data/upload/", ""), ("/train/", "sessionid=x")]
)
def test_a_large_body_is_taken_only_as_an_upload(server: WebServer, path: str, cookie: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", path, b"x" * (5 << 20), {"Cookie": cookie} if cookie else {})
    response = connection.getresponse()
    body = response.read()
    assert response.status == 413 and b"more than this page accepts" in body
    connection.close()


def test_a_signed_in_browser_may_send_a_file(server: WebServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/data/upload/", b"x" * (5 << 20), {"Cookie": server.sign_in()})
    assert connection.getresponse().status == 403  # no form token, but read as a whole
    connection.close()
