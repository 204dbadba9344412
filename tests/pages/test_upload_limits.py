"""A real web server: bodies that are too large are dropped on the way, and everybody else is served."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
MEGABYTE = b"x" * (1 << 20)

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, psutil.Process]]:
    """Port and process of a web server that takes 2 MB."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("data")
    environment = {**os.environ, "DATA_DIR": str(folder), "MAX_UPLOAD_MB": "2", "DATABASE_URL": ""}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    words = [sys.executable, "-m", "forecastsite.role", str(os.getpid()), "web", str(port)]
    process = subprocess.Popen(words, cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if ask(port) == 200:
                    break
            except OSError:
                time.sleep(0.2)
        yield port, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


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
