"""Live progress: ONE tailer per web process reads the rows, renders once per kind of reader, and fans out.

The rows are the truth and a push only says what they say. A page gets a whole snapshot first, then deltas
by `seq`; when it finds a gap it takes a snapshot again. No message broker is needed: on SQLite the tailer
asks `PRAGMA data_version` (3 µs) ten times a second, elsewhere it asks for `last_seq` four times a second.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.template.loader import render_to_string
from django.utils import translation

from registry.access.permissions import Person
from training.estimate import actual_cost
from training.events import RunEvent
from training.models import TrainingRun

logger = logging.getLogger(__name__)
LINES = 200  # log lines of a snapshot
PAGE = 500  # events of one delta at most
PACE = 0.5  # seconds between two messages about one run: what happens meanwhile comes together
BACKLOG = 50  # deltas a slow page may be behind before it gets a snapshot instead


class Rights(NamedTuple):
    """What a reader of the live page may do there; pages with the same rights share what is rendered."""

    steer: bool
    train: bool
    forecast: bool

    @classmethod
    def of(cls, user: Person, run: TrainingRun | None) -> Rights:
        steer = run is not None and run.may_steer(user)
        return cls(steer, user.has_perm("training.add_trainingrun"), user.has_perm("prediction.add_forecast"))


Key = tuple[uuid.UUID, str, Rights]


@dataclass(frozen=True)
class Delta:
    """What a page that shows everything up to `start` needs to show everything up to `end`."""

    start: int
    end: int
    html: str
    ended: bool


def live_context(run_id: uuid.UUID, rights: Rights) -> dict[str, Any]:
    """What the live block shows; the page and the socket's snapshot share it. Raises DoesNotExist."""
    run = TrainingRun.objects.select_related("version", "dataset_version__dataset").get(pk=run_id)
    seen = RunEvent.objects.filter(run=run, seq__lte=run.last_seq)
    logs = list(seen.exclude(kind=RunEvent.Kind.EPOCH).order_by("-seq")[:LINES])[::-1]
    return {
        "run": run,
        "logs": logs,
        "points": run.points,
        "ended": run.ended,
        "cost": actual_cost(run),
        "may": rights,
    }


def snapshot(run_id: uuid.UUID, language: str, rights: Rights) -> Delta | None:
    """The whole live block as it stands; None when there is no such run."""
    try:
        context = live_context(run_id, rights)
    except TrainingRun.DoesNotExist:
        return None
    html = render("training/_live.html", {**context, "oob": True}, language)
    return Delta(0, context["run"].last_seq, html, context["ended"])


def delta(run: TrainingRun, start: int, language: str, rights: Rights) -> Delta | None:
    """What happened after event `start`; None when nothing did."""
    events = list(
        RunEvent.objects.filter(run=run, seq__gt=start, seq__lte=run.last_seq).order_by("seq")[:PAGE]
    )
    if not events:
        return None
    logs = [event for event in events if event.kind != RunEvent.Kind.EPOCH]
    points = [event.data for event in events if event.kind == RunEvent.Kind.EPOCH]
    ended = run.ended and events[-1].seq == run.last_seq
    turned = any(not event.data for event in logs) or any(e.kind == RunEvent.Kind.STATE for e in logs)
    context = {"run": run, "logs": logs, "points": points, "turned": turned, "may": rights, "oob": True}
    if turned:
        context["cost"] = actual_cost(run)
    return Delta(start, events[-1].seq, render("training/_delta.html", context, language), ended)


def render(template: str, context: dict[str, Any], language: str) -> str:
    """The fragment in the page's language."""
    with translation.override(language):
        return render_to_string(template, context)


def deltas(cursors: dict[Key, int]) -> dict[Key, Delta]:
    """What is new for each watched run, language and set of rights, from one look at the rows."""
    runs = TrainingRun.objects.select_related("version", "dataset_version__dataset")
    rows = runs.in_bulk({key[0] for key in cursors})
    fresh = {
        key: delta(rows[key[0]], cursor, *key[1:])
        for key, cursor in cursors.items()
        if key[0] in rows and rows[key[0]].last_seq > cursor
    }
    return {key: news for key, news in fresh.items() if news is not None}


class Watch:
    """Says cheaply whether the database may have changed."""

    def __init__(self) -> None:
        self.file: sqlite3.Connection | None = None
        self.seen = -1
        if connection.vendor == "sqlite":
            name = str(connection.settings_dict["NAME"])
            self.file = sqlite3.connect(name, isolation_level=None, timeout=1, uri=name.startswith("file:"))

    @property
    def pause(self) -> float:
        return 0.1 if self.file else 0.25

    def changed(self) -> bool:
        if self.file is None:
            return True
        before, self.seen = self.seen, self.file.execute("PRAGMA data_version").fetchone()[0]
        return before != self.seen

    def close(self) -> None:
        if self.file:
            self.file.close()


class Feed:
    """The tailer: runs while somebody watches."""

    def __init__(self) -> None:
        self.pages: dict[Key, set[asyncio.Queue[Delta]]] = {}
        self.cursors: dict[Key, int] = {}
        self.sent: dict[Key, float] = {}
        self.whole: dict[Key, asyncio.Task[Delta | None]] = {}  # snapshots that are being made
        self.people: Counter[int] = Counter()  # open sockets of each user
        self.task: asyncio.Task[None] | None = None
        self.again = True

    async def snapshot(self, key: Key) -> Delta | None:
        """The whole block; pages that ask while it is made share it, as all do after a restart."""
        if key not in self.whole:
            self.whole[key] = asyncio.create_task(database_sync_to_async(snapshot)(*key))
            self.whole[key].add_done_callback(lambda _made: self.whole.pop(key))
        return await asyncio.shield(self.whole[key])

    def subscribe(self, key: Key, cursor: int) -> asyncio.Queue[Delta]:
        """A queue of what happens to the run after event `cursor`; who is behind the others is told so."""
        page: asyncio.Queue[Delta] = asyncio.Queue(BACKLOG)
        self.pages.setdefault(key, set()).add(page)
        reached = self.cursors.setdefault(key, cursor)
        if reached > cursor:
            page.put_nowait(Delta(reached, reached, "", ended=False))
        self.again = True  # what happened between the page's snapshot and now
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.tail())
        return page

    def unsubscribe(self, key: Key, page: asyncio.Queue[Delta]) -> None:
        """Forgets the page; the last one to leave ends the tailer."""
        pages = self.pages.get(key, set())
        pages.discard(page)
        if not pages:
            self.pages.pop(key, None)
            self.cursors.pop(key, None)
            self.sent.pop(key, None)

    def enter(self, person: int) -> bool:
        """Counts a socket of this user; False when there are too many already."""
        if self.people[person] >= settings.SOCKETS_PER_USER:
            return False
        self.people[person] += 1
        return True

    def leave(self, person: int) -> None:
        """The socket is gone."""
        self.people[person] -= 1
        self.people += Counter()  # forgets who has none

    async def tail(self) -> None:
        watch = Watch()
        try:
            while self.pages:
                if watch.changed() or self.again:
                    self.again = False
                    self.again |= await self.look()
                await asyncio.sleep(watch.pause)
        finally:
            watch.close()

    async def look(self) -> bool:
        """One look at the rows of those whose turn it is; True when another may find more."""
        now = time.monotonic()
        due = {key: at for key, at in self.cursors.items() if now - self.sent.get(key, 0.0) >= PACE}
        early = len(due) < len(self.cursors)
        try:
            return self.fan_out(await database_sync_to_async(deltas)(due) if due else {}) or early
        except DatabaseError:
            logger.warning("The database does not answer: live progress waits for it.")
            return True

    def fan_out(self, news: dict[Key, Delta]) -> bool:
        """Hands every page its delta; True when more may be waiting."""
        for key, change in news.items():
            if key in self.cursors:
                self.cursors[key], self.sent[key] = change.end, time.monotonic()
            for page in self.pages.get(key, ()):
                if page.full():  # a slow page: the gap makes it take a snapshot
                    page.get_nowait()
                page.put_nowait(change)
        return bool(news)


_feeds: dict[asyncio.AbstractEventLoop, Feed] = {}


def feed() -> Feed:
    """The one feed of this event loop; a web process has one loop."""
    return _feeds.setdefault(asyncio.get_running_loop(), Feed())
