"""The WebSocket of a live page: a snapshot on connect, then updates, then a clean close."""

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
from training.live_updates import StreamKey, Update, ViewerPermissions, get_live_updates
from training.models import TrainingRun
from training.queue import mark_end_seen

# htmx reconnects for ever after a refused handshake, so refuse by closing an accepted one
CLOSE_SIGN_IN = 4401
CLOSE_NOT_FOUND = 4404
CLOSE_TOO_MANY = 4429
CLOSE_TOO_LONG = 1009
CLOSE_FINISHED = 1000
SESSION_CHECK_SECONDS = 30.0  # seconds between two checks of the session
MAX_MESSAGE_BYTES = 1024  # bytes of a client's message (the server drops all messages, see websocket_limits)


class RunConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """The socket of one page that watches one run. Messages of the client are ignored."""

    stream_key: StreamKey
    updates: asyncio.Queue[Update] | None = None
    send_task: asyncio.Task[None] | None = None
    shown_seq = 0
    user_id: int | None = None

    async def connect(self) -> None:
        await self.accept()
        user = self.scope["user"]
        if not (user.is_authenticated and user.is_active):
            await self.close(CLOSE_SIGN_IN)
            return
        if not get_live_updates().admit_socket(user.pk):
            await self.close(CLOSE_TOO_MANY)
            return
        self.user_id = user.pk
        run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["pk"]
        rights = await database_sync_to_async(load_viewer_permissions)(user, run_id)
        self.stream_key = (run_id, await detect_language(self.scope), rights)
        if await self.send_snapshot():
            self.updates = get_live_updates().subscribe(self.stream_key, self.shown_seq)
            self.send_task = asyncio.create_task(self.send_updates(self.updates))

    async def disconnect(self, code: int) -> None:
        if self.user_id is not None:
            get_live_updates().release_socket(self.user_id)
        if self.updates is not None and self.send_task is not None:
            get_live_updates().unsubscribe(self.stream_key, self.updates)
            self.send_task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Ignores messages; closes the socket after a large one."""
        if len(text_data or bytes_data or "") > MAX_MESSAGE_BYTES:
            await self.close(CLOSE_TOO_LONG)

    async def send_snapshot(self) -> bool:
        """Sends the whole block; False when no update will follow."""
        snapshot = await get_live_updates().get_snapshot(self.stream_key)
        if snapshot is None:
            await self.close(CLOSE_NOT_FOUND)
            return False
        return await self.send_update(snapshot)

    async def send_update(self, update: Update) -> bool:
        """Sends a fragment; False after the last one."""
        self.shown_seq = update.end_seq
        await self.send(text_data=update.html)
        if update.is_last:
            await database_sync_to_async(mark_end_seen)(self.stream_key[0], self.user_id)
            await self.close(CLOSE_FINISHED)
        return not update.is_last

    async def send_updates(self, updates: asyncio.Queue[Update]) -> None:
        """Sends updates until the last one, or until the session ends."""
        has_more, checked = True, time.monotonic()
        while has_more:
            if time.monotonic() - checked >= SESSION_CHECK_SECONDS:
                checked = time.monotonic()
                if not await database_sync_to_async(may_watch)(self.scope["session"].session_key):
                    await self.close(CLOSE_SIGN_IN)
                    return
            try:
                update = await asyncio.wait_for(updates.get(), SESSION_CHECK_SECONDS)
            except TimeoutError:
                continue
            if update.start_seq == self.shown_seq < update.end_seq:
                has_more = await self.send_update(update)
            # a gap; repeat, since a shared snapshot may be older than this update
            while has_more and self.shown_seq < update.end_seq:
                has_more = await self.send_snapshot()


def load_viewer_permissions(user: Person, run_id: uuid.UUID) -> ViewerPermissions:
    """What this person may do with the run."""
    return ViewerPermissions.for_user(user, TrainingRun.objects.filter(pk=run_id).first())


def may_watch(session_key: str) -> bool:
    """Whether the session is still valid: an active user whose password has not changed."""
    engine = import_module(settings.SESSION_ENGINE)
    request = HttpRequest()
    request.session = engine.SessionStore(session_key)
    user = get_user(request)
    return user.is_authenticated and user.is_active


async def detect_language(scope: dict[str, Any]) -> str:
    """Language of the page: ?lang=, then the language cookie, then Accept-Language."""
    headers = dict(scope["headers"])
    cookie = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(settings.LANGUAGE_COOKIE_NAME)
    from_query = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("lang", [])
    accepted = headers.get(b"accept-language", b"").decode("latin-1").split(",")
    from_browser = [part.split(";")[0].strip() for part in accepted]
    for code in [*from_query, cookie.value if cookie else "", *from_browser]:
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE
