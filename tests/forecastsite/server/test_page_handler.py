"""Requests in threads that stay: one way there and back for each, one thread for those that follow."""

from __future__ import annotations

import asyncio
import threading

import pytest
from django.http import HttpResponse

from forecastsite.server import page_handler
from forecastsite.server.page_handler import PageHandler


@pytest.fixture
def handler(monkeypatch):
    """A handler whose answer is the thread that made it."""
    made = PageHandler()
    monkeypatch.setattr(made, "get_response", lambda request: HttpResponse(str(threading.get_ident())))
    yield made
    for thread in made.idle:
        thread.shutdown()


async def ask(handler: PageHandler) -> str:
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    body, sent = [{"type": "http.request"}], []

    async def receive():
        return body.pop() if body else await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    await handler(scope, receive, send)
    assert sent[0]["status"] == 200
    return sent[1]["body"].decode()


async def test_requests_that_follow_each_other_share_a_thread(handler):
    found = {await ask(handler) for _time in range(5)}
    assert len(found) == 1 and found != {str(threading.get_ident())}


async def test_requests_at_once_have_threads_of_their_own_and_few_of_them_stay(handler, monkeypatch):
    monkeypatch.setattr(page_handler, "MAX_IDLE", 2)
    barrier = threading.Barrier(5, timeout=20)

    def answer(request):
        barrier.wait()
        return HttpResponse(str(threading.get_ident()))

    monkeypatch.setattr(handler, "get_response", answer)
    assert len(set(await asyncio.gather(*(ask(handler) for _one in range(5))))) == 5
    assert len(handler.idle) == 2


async def test_the_thread_of_a_request_that_failed_is_used_again(handler, monkeypatch):
    def fail(request):
        raise RuntimeError("a fault")

    before = await ask(handler)
    with monkeypatch.context() as broken:
        broken.setattr(handler, "get_response", fail)
        with pytest.raises(RuntimeError):
            await ask(handler)
    assert await ask(handler) == before
