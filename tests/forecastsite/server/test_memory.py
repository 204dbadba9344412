"""A real web server: pages, uploads and downloads leave no memory behind, and a slow reader takes none."""

from __future__ import annotations

import socket
import time

import pytest

from bench.web_memory import PAGES, download_in_parallel, read_pages, send_upload
from tests.helpers.web_server import WebServer, running_web_server

pytestmark = pytest.mark.processes
MAX_GROWTH = 50  # MB


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_web_server(tmp_path_factory.mktemp("data"), (10, 40, 700)) as server:
        server.cookie = server.sign_in()
        read_pages(server, server.cookie, len(PAGES))
        server.get("/data/1/sales.csv", server.cookie)  # reads its first part into memory that is used again
        send_upload(server, server.cookie)  # libraries are loaded by the first request that needs them
        yield server


def test_pages_and_uploads_leave_no_memory_behind(server):
    before = server.rss()
    read_pages(server, server.cookie, 60)
    for _ in range(2):
        assert send_upload(server, server.cookie) in {200, 302}
    assert server.rss() - before < MAX_GROWTH


def begin_download(server: WebServer) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    lines = [
        "GET /data/1/sales.csv HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Cookie: {server.cookie}",
        "Connection: close",
    ]
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    return connection


def test_a_download_begins_before_it_is_complete_and_waits_for_its_reader(server):
    before = server.rss()
    connection = begin_download(server)
    first = connection.recv(10_000)
    assert first.startswith(b"HTTP/1.1 200")
    time.sleep(3)
    assert server.get("/data/1/sales.csv", server.cookie)[0] == 429  # not sent as a whole yet
    assert server.rss() - before < MAX_GROWTH
    size = len(first)
    while part := connection.recv(1 << 20):
        size += len(part)
    assert size > 10 << 20
    connection.close()
    assert server.is_up()


def test_a_download_that_is_left_makes_room_for_the_next(server):
    begin_download(server).close()
    end = time.monotonic() + 20
    while server.get("/data/1/sales.csv", server.cookie)[0] != 200:
        assert time.monotonic() < end
        time.sleep(0.2)


def test_eight_downloads_at_once_slow_nobody_down_and_take_no_memory(server):
    before = server.rss()
    statuses, times = download_in_parallel(server, [server.cookie], 2)
    assert set(statuses) == {200, 429} and statuses.total() == 16
    assert sorted(times)[int(len(times) * 0.95)] < 1
    assert server.rss() - before < MAX_GROWTH
