"""The live page's WebSocket: who may open it, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import re
import time
import uuid

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client

from forecastsite.asgi import application
from forecastsite.server.websocket_origin import is_own_websocket_origin
from tests.helpers.fake_training import epoch
from training import live_updates as feeds
from training.live_updates import ViewerPermissions, render_snapshot
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)
OURS = "http://testserver:8000"
ALL = ViewerPermissions(may_steer=True, may_train=True, may_forecast=True)
WAIT = 20  # seconds; the machine may be busy


@pytest.fixture(autouse=True)
def host(settings):
    settings.ALLOWED_HOSTS = ["testserver"]


@pytest.fixture
def cookie(db) -> str:
    user = get_user_model().objects.create_user("ann", password="a long password")
    client = Client()
    client.force_login(user)
    return f"sessionid={client.cookies['sessionid'].value}"


def socket(run, cookie: str = "", origin: str = OURS, query: str = "") -> WebsocketCommunicator:
    headers = [(b"host", b"testserver:8000"), (b"origin", origin.encode()), (b"cookie", cookie.encode())]
    return WebsocketCommunicator(application, f"/ws/runs/{run}/{query}", headers)


async def closed_with(page: WebsocketCommunicator) -> int:
    message = await page.receive_output(timeout=WAIT)
    assert message["type"] == "websocket.close"
    return message["code"]


async def test_somebody_who_is_not_signed_in_is_told_so_and_does_not_come_back(claimed):
    page = socket(claimed.pk)
    assert (await page.connect())[0]
    assert await closed_with(page) == 4401


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://testserver:9999", "https://testserver:8000", ""]
)
async def test_a_foreign_page_is_refused(claimed, cookie, origin):
    accepted, _code = await socket(claimed.pk, cookie, origin).connect()
    assert not accepted


async def test_a_run_that_does_not_exist_is_closed(cookie):
    page = socket(uuid.uuid4(), cookie)
    await page.connect()
    assert await closed_with(page) == 4404


async def test_a_page_sees_a_snapshot_then_what_happens_then_the_end(claimed, cookie):
    page = socket(claimed.pk, cookie)
    await page.connect()
    assert 'id="live"' in await page.receive_from(timeout=WAIT)
    await sync_to_async(claimed.record_progress)([epoch(1)])
    first = await page.receive_from(timeout=WAIT)
    assert "Round 1." in first
    await page.send_to(text_data='{"nonsense": 1}')
    await sync_to_async(claimed.record_progress)([epoch(2)])
    second = await page.receive_from(timeout=WAIT)
    assert "Round 2." in second
    assert "Round 1." not in second
    await sync_to_async(claimed.mark_failed)("The data is too short.")
    assert "The data is too short." in await page.receive_from(timeout=WAIT)
    assert await closed_with(page) == 1000


async def test_a_page_opened_after_the_end_shows_it_and_is_closed(claimed, cookie):
    await sync_to_async(claimed.mark_failed)("The data is too short.")
    page = socket(claimed.pk, cookie)
    await page.connect()
    assert "The data is too short." in await page.receive_from(timeout=WAIT)
    assert await closed_with(page) == 1000


async def test_a_page_that_comes_again_sees_everything(claimed, cookie):
    await sync_to_async(claimed.record_progress)([epoch(1), epoch(2)])
    page = socket(claimed.pk, cookie)
    await page.connect()
    shown = await page.receive_from(timeout=WAIT)
    assert "Round 1." in shown
    assert "Round 2." in shown
    await page.disconnect()


async def test_every_page_gets_its_own_language(claimed, cookie):
    pages = [socket(claimed.pk, cookie, query=f"?lang={name}") for name in ("en", "zh-hans")]
    shown = []
    for page in pages:
        await page.connect()
        shown.append(await page.receive_from(timeout=WAIT))
    await sync_to_async(claimed.record_progress)([epoch(1)])
    for page in pages:
        assert "Round 1." in await page.receive_from(timeout=WAIT)
        await page.disconnect()
    assert shown[0] != shown[1]


async def test_two_pages_of_one_run_are_rendered_once(claimed, cookie, monkeypatch):
    from training import live_updates

    drawn = []
    render = live_updates.render_in_language

    def count(template, context, language):
        drawn.append(template)
        return render(template, context, language)

    monkeypatch.setattr(live_updates, "render_in_language", count)
    pages = [socket(claimed.pk, cookie) for _ in range(2)]
    for page in pages:
        await page.connect()
        await page.receive_from(timeout=WAIT)
    await sync_to_async(claimed.record_progress)([epoch(1)])
    for page in pages:
        await page.receive_from(timeout=WAIT)
        await page.disconnect()
    assert drawn.count("training/_live.html#update") == 1


async def test_what_happens_fast_comes_together(claimed, cookie):
    page = socket(claimed.pk, cookie)
    await page.connect()
    await page.receive_from(timeout=WAIT)
    began, got = time.monotonic(), []
    for number in range(1, 21):
        await sync_to_async(claimed.record_progress)([epoch(number)])
        await asyncio.sleep(0.05)
    while "Round 20." not in "".join(got):
        got.append(await page.receive_from(timeout=WAIT))
    assert len(got) <= 2 * (time.monotonic() - began) + 2
    assert re.findall(r"Round (\d+)\.", "".join(got)) == [str(number) for number in range(1, 21)]
    await page.disconnect()


async def test_somebody_who_signs_out_stops_watching(claimed, cookie, monkeypatch):
    monkeypatch.setattr("training.consumers.SESSION_CHECK_SECONDS", 0.1)
    page = socket(claimed.pk, cookie)
    await page.connect()
    await page.receive_from(timeout=WAIT)
    assert await page.receive_nothing(timeout=0.5)
    await sync_to_async(Session.objects.all().delete)()
    assert await closed_with(page) == 4401


async def test_somebody_who_is_locked_out_stops_watching(claimed, cookie, monkeypatch):
    monkeypatch.setattr("training.consumers.SESSION_CHECK_SECONDS", 0.1)
    page = socket(claimed.pk, cookie)
    await page.connect()
    await page.receive_from(timeout=WAIT)
    await sync_to_async(get_user_model().objects.update)(is_active=False)
    assert await closed_with(page) == 4401


async def test_one_person_has_so_many_pages_and_no_more(claimed, cookie, settings):
    settings.SOCKETS_PER_USER = 2
    pages = [socket(claimed.pk, cookie) for _ in range(3)]
    for page in pages:
        await page.connect()
    assert await closed_with(pages[2]) == 4429
    await pages[0].disconnect()
    again = socket(claimed.pk, cookie)
    await again.connect()
    assert 'id="live"' in await again.receive_from(timeout=WAIT)
    for page in (pages[1], again):
        await page.disconnect()


async def test_a_client_that_sends_too_much_is_cut_off(claimed, cookie):
    page = socket(claimed.pk, cookie)
    await page.connect()
    await page.receive_from(timeout=WAIT)
    await page.send_to(text_data="x" * (64 * 1024 + 1))
    assert await closed_with(page) == 1009


def test_a_trusted_address_behind_a_proxy_is_ours(settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example"]
    assert is_own_websocket_origin(
        {"headers": [(b"origin", b"https://shop.example"), (b"host", b"inner:8000")]}
    )


def test_a_proxy_that_ends_tls_is_understood(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    headers = [(b"origin", b"https://testserver"), (b"host", b"testserver"), (b"x-forwarded-proto", b"https")]
    assert is_own_websocket_origin({"headers": headers})


def test_only_the_watched_run_is_asked_for(claimed):
    from training.live_updates import render_updates

    key = (claimed.pk, "en", ALL)
    assert set(render_updates({key: 0})) == {key}
    assert render_updates({key: TrainingRun.objects.get().last_seq}) == {}


async def test_pages_that_come_at_once_share_one_snapshot(claimed, monkeypatch):
    made = []

    def slow(run_id, language, rights):
        made.append(language)
        time.sleep(0.2)
        return render_snapshot(run_id, language, rights)

    monkeypatch.setattr(feeds, "render_snapshot", slow)
    shared = feeds.LiveUpdates()
    asked = [(claimed.pk, language, ALL) for language in ("en", "en", "en", "zh-hans")]
    shown = await asyncio.gather(*(shared.get_snapshot(key) for key in asked))
    assert sorted(made) == ["en", "zh-hans"] and shown[0] is shown[2] and "训练" in shown[3].html
    assert shared.pending_snapshots == {}


async def test_a_page_that_is_behind_the_others_is_told_at_once(claimed, monkeypatch):
    async def nothing(_feed):
        return None

    monkeypatch.setattr(feeds.LiveUpdates, "poll_loop", nothing)
    shared, key = feeds.LiveUpdates(), (claimed.pk, "en", ALL)
    assert shared.subscribe(key, 7).empty()
    late = shared.subscribe(key, 5)
    assert (late.get_nowait().end_seq, shared.cursors[key]) == (7, 7)
    assert shared.subscribe(key, 7).empty()
