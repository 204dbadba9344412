"""The WebSocket of a live page: a snapshot on connect, then what changes, then a clean close."""

from __future__ import annotations

import asyncio
import time
import uuid
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils import translation

from registry.access.permissions import Person
from training.live_updates import Delta, Key, Rights, feed
from training.models import TrainingRun

SIGN_IN = (
    4401  # a refused handshake would make htmx connect again for ever; an accepted and closed one does not
)
NOT_FOUND = 4404
TOO_MANY = 4429
TOO_LONG = 1009
FINISHED = 1000
CHECK = 30.0  # seconds between two looks whether this person may still watch
MOST = 64 * 1024  # bytes that a client may send at once (the server refuses longer frames itself)


class RunConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One page that watches one run. What the client sends is ignored."""

    key: Key
    page: asyncio.Queue[Delta] | None = None
    pump: asyncio.Task[None] | None = None
    shown = 0
    person: int | None = None

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not (user.is_authenticated and user.is_active):
            await self.close(SIGN_IN)
            return
        if not feed().enter(user.pk):
            await self.close(TOO_MANY)
            return
        self.person = user.pk
        run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["pk"]
        rights = await database_sync_to_async(rights_of)(user, run_id)
        self.key = (run_id, await language(self.scope), rights)
        if await self.show_all():
            self.page = feed().subscribe(self.key, self.shown)
            self.pump = asyncio.create_task(self.follow(self.page))

    async def disconnect(self, code: int) -> None:
        if self.person is not None:
            feed().leave(self.person)
        if self.page is not None and self.pump is not None:
            feed().unsubscribe(self.key, self.page)
            self.pump.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """A page has nothing to say here."""
        if len(text_data or bytes_data or "") > MOST:
            await self.close(TOO_LONG)

    async def show_all(self) -> bool:
        """Sends the whole block as it stands; False when there is nothing to wait for."""
        now = await feed().snapshot(self.key)
        if now is None:
            await self.close(NOT_FOUND)
            return False
        return await self.show(now)

    async def show(self, change: Delta) -> bool:
        """Sends a fragment; False when it was the last one."""
        self.shown = change.end
        await self.send(text_data=change.html)
        if change.ended:
            await self.close(FINISHED)
        return not change.ended

    async def follow(self, page: asyncio.Queue[Delta]) -> None:
        going, checked = True, time.monotonic()
        while going:
            if time.monotonic() - checked >= CHECK:
                checked = time.monotonic()
                if not await database_sync_to_async(may_watch)(self.scope["session"].session_key):
                    await self.close(SIGN_IN)
                    return
            try:
                change = await asyncio.wait_for(page.get(), CHECK)
            except TimeoutError:
                continue
            if change.start == self.shown < change.end:
                going = await self.show(change)
            while going and self.shown < change.end:  # a gap; a shared snapshot may have been begun before
                going = await self.show_all()


def rights_of(user: Person, run_id: uuid.UUID) -> Rights:
    """What this person may do with that run."""
    return Rights.of(user, TrainingRun.objects.filter(pk=run_id).first())


def may_watch(session_key: str) -> bool:
    """True while the session still belongs to somebody who may sign in, with the password it began with."""
    engine = import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = engine.SessionStore(session_key)
    user = get_user(request)
    return user.is_authenticated and user.is_active


async def language(scope: dict[str, Any]) -> str:
    """The page's language: ?lang=, then the language cookie, then the browser's wish."""
    headers = dict(scope["headers"])
    cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(settings.LANGUAGE_COOKIE_NAME)
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [])
    wishes = headers.get(b"accept-language", b"").decode("latin-1").split(",")
    for wish in [*asked, cookie.value if cookie else "", *(part.split(";")[0].strip() for part in wishes)]:
        try:
            return translation.get_supported_language_variant(wish)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
