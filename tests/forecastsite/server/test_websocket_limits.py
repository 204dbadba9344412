"""A real web server: somebody who talks to the live page is cut off and costs no memory."""

from __future__ import annotations

import base64
import os
import socket
import time

import pytest

from tests.helpers.web_server import WebServer, running_web_server

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_web_server(tmp_path_factory.mktemp("data")) as server:
        server.run = server.queue_training()
        yield server


def open_socket(server: WebServer, cookie: str) -> socket.socket:
    """A WebSocket after its handshake, as a bare connection."""
    key = base64.b64encode(os.urandom(16)).decode()
    site = f"127.0.0.1:{server.port}"
    lines = [
        f"GET /ws/runs/{server.run}/ HTTP/1.1",
        f"Host: {site}",
        f"Origin: http://{site}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Cookie: {cookie}",
    ]
    connection = server.connect()
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert b"101" in connection.recv(4096)
    return connection


def frame(opcode: int, length: int, final: bool = True) -> bytes:
    """A masked frame of zeros."""
    head = bytes([opcode | (0x80 if final else 0)])
    size = bytes([0x80 | length]) if length < 126 else bytes([0x80 | 126]) + length.to_bytes(2, "big")
    return head + size + bytes(4) + bytes(length)


def flood(connection: socket.socket, content: bytes, seconds: float = 3) -> int:
    """Sends the content again and again without reading; how many bytes went out before the end."""
    sent, end = 0, time.monotonic() + seconds
    connection.settimeout(1)
    try:
        while time.monotonic() < end:
            sent += connection.send(content)
    except OSError:
        pass
    return sent


FLOODS = {
    "large messages": frame(1, 65_000),
    "small messages": frame(1, 100) * 500,
    "pings": frame(9, 100) * 500,
    "pongs": frame(10, 100) * 500,
    "a message that never ends": frame(1, 0, final=False) + frame(0, 0, final=False) * 5000,
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_messages_is_cut_off_and_takes_no_memory(server, kind):
    cookie = server.sign_in()
    before = server.rss()
    for _ in range(4):
        connection = open_socket(server, cookie)
        assert flood(connection, FLOODS[kind]) < 20 << 20
        connection.close()
    assert server.rss() - before < 20
    assert server.is_up()


def test_a_quiet_socket_may_ping_now_and_then(server):
    connection = open_socket(server, server.sign_in())
    connection.sendall(frame(9, 5) * 3 + frame(1, 5))
    received = b""
    while received.count(b"\x8a\x05") < 3 or b'id="live"' not in received:
        received += connection.recv(65536)
    connection.settimeout(1)
    with pytest.raises(TimeoutError):  # nothing more to say, and still open
        while True:
            assert connection.recv(65536)
    connection.close()
    assert server.is_up()
