"""Connections that wait: which ones are closed, when, and that they shut nobody out."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress

import pytest

from forecastsite.server import connections
from forecastsite.server.connections import ANSWERING, BODY, HEADERS, IDLE, BoundedFactory, WriteGate
from tests.helpers.web_server import WebServer, running_web_server


class Transport:
    """What a connection needs of Twisted."""

    def __init__(self) -> None:
        self.aborted, self.producer = False, None

    def abortConnection(self) -> None:
        self.aborted = True

    def registerProducer(self, producer, streaming) -> None:
        self.producer = producer


class Inner:
    """The factory and protocol behind the bounds."""

    def buildProtocol(self, addr) -> Inner:
        return self

    def makeConnection(self, transport) -> None:
        self.transport = transport

    def dataReceived(self, data) -> None:
        pass

    def pauseProducing(self) -> None:
        pass

    resumeProducing = stopProducing = pauseProducing


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def open_connection(clock):
    factory = BoundedFactory(Inner(), 3)

    def opener():
        connection = factory.buildProtocol(None)
        if connection is not None:
            connection.transport = Transport()
            factory.registerProtocol(connection)
        return connection

    opener.factory = factory
    return opener


@pytest.mark.parametrize(("phase", "seconds"), [(HEADERS, 20), (BODY, 60), (IDLE, 60)])
def test_a_connection_that_waits_too_long_is_closed(open_connection, clock, phase, seconds):
    connection = open_connection()
    connection.enter_phase(phase)
    clock[0] += seconds - 1
    open_connection.factory.drop_overdue()
    assert not connection.transport.aborted
    clock[0] += 2
    open_connection.factory.drop_overdue()
    assert connection.transport.aborted


def test_single_bytes_do_not_keep_a_connection_open(open_connection, clock):
    connection = open_connection()
    for _ in range(21):
        connection.dataReceived(b"X")
        clock[0] += 1
    assert connection.is_overdue
    connection.enter_phase(BODY)
    for _ in range(61):
        connection.dataReceived(b"x")
        clock[0] += 1
    assert connection.is_overdue


def test_a_slow_body_that_makes_progress_may_go_on(open_connection, clock):
    connection = open_connection()
    connection.enter_phase(BODY)
    for _ in range(10):
        connection.dataReceived(bytes(16 << 10))
        clock[0] += 61
        assert not connection.is_overdue


def test_an_answer_that_takes_long_is_not_cut_off(open_connection, clock):
    connection = open_connection()
    connection.enter_phase(ANSWERING)
    clock[0] += 3600
    assert not connection.is_overdue


def test_a_new_connection_replaces_the_one_that_has_waited_longest(open_connection, clock):
    one, other, third = (open_connection() for _ in range(3))
    one.enter_phase(ANSWERING)
    clock[0] += 1
    third.enter_phase(HEADERS)
    assert open_connection() is not None
    assert open_connection() is not None
    assert [each.transport.aborted for each in (one, other, third)] == [False, True, True]


def test_a_new_connection_is_refused_when_all_others_are_being_answered(open_connection):
    for connection in [open_connection() for _ in range(3)]:
        connection.enter_phase(ANSWERING)
    assert open_connection() is None


async def test_an_answer_waits_for_its_reader_and_a_reader_that_stops_is_cut_off(monkeypatch):
    connection = BoundedFactory(Inner(), 3).buildProtocol(None)
    connection.transport = Transport()
    connection.registerProducer(Inner(), streaming=True)
    gate = connection.transport.producer
    assert isinstance(gate, WriteGate)
    await asyncio.wait_for(connection.wait_until_writable(), 1)
    gate.pauseProducing()
    waiting = asyncio.create_task(connection.wait_until_writable())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    gate.resumeProducing()
    await asyncio.wait_for(waiting, 1)
    monkeypatch.setattr(connections, "STALLED_READER_SECONDS", 0.05)
    gate.pauseProducing()
    await asyncio.wait_for(connection.wait_until_writable(), 1)
    assert connection.transport.aborted


def test_the_limit_on_open_files_leaves_room_for_files(monkeypatch):
    limits = {"now": (100, 100)}
    monkeypatch.setattr(connections.resource, "getrlimit", lambda _kind: limits["now"])
    monkeypatch.setattr(connections.resource, "setrlimit", lambda _kind, pair: limits.update(now=pair))
    assert connections.raise_file_limit(2000) == 50
    limits["now"] = (1024, 1024)
    assert connections.raise_file_limit(2000) == 768
    limits["now"] = (1024, 4096)
    assert connections.raise_file_limit(2000) == 2000
    assert limits["now"] == (2256, 4096)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_web_server(tmp_path_factory.mktemp("data"), MAX_CONNECTIONS="100") as server:
        yield server


def wait_without_end(server: WebServer, content: bytes, count: int) -> list[socket.socket]:
    """Connections that begin a request and never finish it."""
    opened = []
    for _ in range(count):
        opened.append(server.connect())
        with suppress(OSError):  # replaced by a later one already
            opened[-1].sendall(content)
    return opened


@pytest.mark.processes
@pytest.mark.parametrize(
    "content", [b"", b"GET / HTTP/1.1\r\nX: ", b"POST /login/ HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx"]
)
def test_idle_connections_beyond_the_limit_shut_nobody_out(server, content):
    opened = wait_without_end(server, content, 300)
    for _ in range(5):
        assert server.get("/login/")[0] == 200
    assert sum(is_closed(connection) for connection in opened) >= 200
    for connection in opened:
        connection.close()


@pytest.mark.processes
def test_a_request_whose_headers_never_end_is_closed(server):
    opened = wait_without_end(server, b"GET / HTTP/1.1\r\nX: ", 3)
    end = time.monotonic() + 30
    while time.monotonic() < end and not all(map(is_closed, opened)):
        for connection in opened:
            with suppress(OSError):
                connection.sendall(b"x")
        time.sleep(1)
    assert all(map(is_closed, opened))


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed the connection."""
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
