"""Downloads: sent part by part, and never so many at once that pages become slow."""

from __future__ import annotations

import asyncio
import gc

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import RequestFactory

from registry.lib import downloads
from registry.lib.downloads import Slots, StreamedFile, costly_download

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def slots(monkeypatch) -> Slots:
    fresh = Slots()
    monkeypatch.setattr(downloads, "slots", fresh)
    return fresh


@costly_download
def view(request):
    return StreamedFile(iter([b"a", b"b"]))


def ask(person: int, what=view):
    request = RequestFactory().get("/x.csv")
    request.user = User(pk=person)
    return what(request)


async def test_parts_are_made_one_at_a_time_as_they_are_sent():
    made = []

    def parts():
        for number in range(3):
            made.append(number)
            yield b"%d" % number

    sent = aiter(StreamedFile(parts()))
    assert await anext(sent) == b"0" and made == [0]
    await asyncio.sleep(0.05)
    assert made == [0]
    assert [part async for part in sent] == [b"1", b"2"]


def test_a_second_download_of_one_person_is_refused_with_a_sentence_until_the_first_ends():
    first = ask(1)
    refused = ask(1)
    assert refused.status_code == 429 and refused["Retry-After"] == "10"
    assert "Other downloads are still running." in refused.content.decode()
    assert b"".join(first) == b"ab"
    first.close()
    assert ask(1).status_code == 200


def test_at_most_two_people_download_at_once():
    taken = [ask(1), ask(2)]
    assert ask(3).status_code == 429
    taken[0].close()
    assert ask(3).status_code == 200


def test_a_download_whose_client_left_or_whose_view_failed_frees_its_place(slots):
    ask(1)  # never read and never closed
    gc.collect()
    assert not slots.taken

    @costly_download
    def broken(request):
        raise ValueError

    with pytest.raises(ValueError):
        ask(1, broken)
    assert not slots.taken


def test_a_download_that_is_closed_twice_frees_one_place(slots):
    first, _second = ask(1), ask(2)
    first.close()
    first.close()
    assert slots.taken.total() == 1


def test_a_download_that_is_not_streamed_holds_its_place_until_it_is_closed(slots):
    answer = ask(1, costly_download(lambda request: HttpResponse(b"x")))
    assert slots.taken.total() == 1
    answer.close()
    assert not slots.taken


async def test_a_download_whose_client_left_before_it_began_frees_its_place(slots):
    taken = []

    async def pages(scope, receive, send):
        slots.take(1)
        request = RequestFactory().get("/x.csv")
        request.scope = scope
        taken.append(StreamedFile(iter([b"a"])))
        downloads.release_at_end(request, taken[0], 1)
        raise asyncio.CancelledError

    scope: dict = {}
    with pytest.raises(asyncio.CancelledError):
        await downloads.release_after_request(pages)(scope, None, None)
    assert not slots.taken
    slots.take(2)
    request = RequestFactory().get("/x.csv")
    request.scope = scope  # its view was still running
    downloads.release_at_end(request, HttpResponse(), 2)
    assert not slots.taken
