"""Live progress: one poller per web process reads the rows, renders once per kind of viewer, and fans out.

A page gets a snapshot first, then updates by `seq`; when it notices a gap it gets a snapshot again. No
message broker is needed: on SQLite the poller asks `PRAGMA data_version` (3 µs) ten times a second, elsewhere
it reads `last_seq` four times a second.
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
from registry.datasets.addresses import address_prefix, dataset_prefix
from training.estimate import actual_cost
from training.events import RunEvent
from training.models import TrainingRun
from training.trial_table import build_trial_table, label_points, reading_text

logger = logging.getLogger(__name__)
SNAPSHOT_LOG_LINES = 200  # log lines of a snapshot
MAX_UPDATE_EVENTS = 500  # events of one update at most
MIN_UPDATE_SECONDS = 0.5  # seconds between two updates of one run; events in between are sent together
MAX_PENDING_UPDATES = 50  # updates that a slow page may be behind before it gets a snapshot instead


class ViewerPermissions(NamedTuple):
    """What a viewer may do on the live page; viewers with the same permissions share rendered HTML."""

    may_steer: bool
    may_train: bool
    may_forecast: bool

    @classmethod
    def for_user(cls, user: Person, run: TrainingRun | None) -> ViewerPermissions:
        steer = run is not None and run.may_steer(user)
        return cls(steer, user.has_perm("training.add_trainingrun"), user.has_perm("prediction.add_forecast"))


StreamKey = tuple[uuid.UUID, str, ViewerPermissions]


@dataclass(frozen=True)
class Update:
    """HTML that brings a page from event `start_seq` to event `end_seq`."""

    start_seq: int
    end_seq: int
    html: str
    is_last: bool


def live_context(run_id: uuid.UUID, permissions: ViewerPermissions) -> dict[str, Any]:
    """Template context of the live block, for the page and for snapshots. Raises DoesNotExist."""
    run = TrainingRun.objects.select_related("version", "dataset_version__dataset").get(pk=run_id)
    seen = RunEvent.objects.filter(run=run, seq__lte=run.last_seq)
    logs = list(seen.exclude(kind=RunEvent.Kind.EPOCH).order_by("-seq")[:SNAPSHOT_LOG_LINES])[::-1]
    return {
        "run": run,
        "logs": logs,
        "points": label_points(run.learning_curve, run),
        "trials": build_trial_table(run),
        "reading": reading_text(run),
        "ended": run.has_ended,
        "cost": actual_cost(run),
        "viewer": permissions,
    }


def render_snapshot(run_id: uuid.UUID, language: str, permissions: ViewerPermissions) -> Update | None:
    """The whole live block; None if the run does not exist."""
    try:
        with translation.override(language):
            context = live_context(run_id, permissions)
    except TrainingRun.DoesNotExist:
        return None
    html = render_in_language("training/_live.html", {**context, "oob": True}, language)
    return Update(0, context["run"].last_seq, html, context["ended"])


def render_update(
    run: TrainingRun, start: int, language: str, permissions: ViewerPermissions
) -> Update | None:
    """The events after `start`; None if there are none."""
    events = list(
        RunEvent.objects.filter(run=run, seq__gt=start, seq__lte=run.last_seq).order_by("seq")[
            :MAX_UPDATE_EVENTS
        ]
    )
    if not events:
        return None
    logs = [event for event in events if event.kind != RunEvent.Kind.EPOCH]
    points = [event.data for event in events if event.kind == RunEvent.Kind.EPOCH]
    ended = run.has_ended and events[-1].seq == run.last_seq
    turned = any(not event.data for event in logs) or any(e.kind == RunEvent.Kind.STATE for e in logs)
    context = {
        "run": run,
        "logs": logs,
        "turned": turned,
        "ended": run.has_ended,
        "viewer": permissions,
        "oob": True,
    }
    with translation.override(language):
        context["points"] = label_points(points, run)
        context |= {"trials": build_trial_table(run), "reading": reading_text(run)}
    if turned:
        context["cost"] = actual_cost(run)
    html = render_in_language("training/_live.html#update", context, language)
    return Update(start, events[-1].seq, html, ended)


def render_in_language(template: str, context: dict[str, Any], language: str) -> str:
    """The fragment in the page's language, with links inside the dataset of the run."""
    prefix = dataset_prefix(context["run"].dataset_version.dataset_id)
    with translation.override(language), address_prefix(prefix):
        return render_to_string(template, context)


def render_updates(cursors: dict[StreamKey, int]) -> dict[StreamKey, Update]:
    """New updates by run, language and permissions, from one query of the runs."""
    runs = TrainingRun.objects.select_related("version", "dataset_version__dataset")
    rows = runs.in_bulk({key[0] for key in cursors})
    updates = {
        key: render_update(rows[key[0]], cursor, *key[1:])
        for key, cursor in cursors.items()
        if key[0] in rows and rows[key[0]].last_seq > cursor
    }
    return {key: update for key, update in updates.items() if update is not None}


class ChangeDetector:
    """Tells cheaply whether the database may have changed."""

    def __init__(self) -> None:
        self.sqlite_connection: sqlite3.Connection | None = None
        self.data_version = -1
        if connection.vendor == "sqlite":
            name = str(connection.settings_dict["NAME"])
            self.sqlite_connection = sqlite3.connect(
                name, isolation_level=None, timeout=1, uri=name.startswith("file:")
            )

    @property
    def poll_interval(self) -> float:
        return 0.1 if self.sqlite_connection else 0.25

    def has_changed(self) -> bool:
        if self.sqlite_connection is None:
            return True
        before, self.data_version = (
            self.data_version,
            self.sqlite_connection.execute("PRAGMA data_version").fetchone()[0],
        )
        return before != self.data_version

    def close(self) -> None:
        if self.sqlite_connection:
            self.sqlite_connection.close()


class LiveUpdates:
    """The poller of this process; it runs while somebody watches."""

    def __init__(self) -> None:
        self.subscribers: dict[StreamKey, set[asyncio.Queue[Update]]] = {}
        self.cursors: dict[StreamKey, int] = {}
        self.sent_at: dict[StreamKey, float] = {}
        self.pending_snapshots: dict[StreamKey, asyncio.Task[Update | None]] = {}
        self.socket_counts: Counter[int] = Counter()  # open sockets of each user
        self.poll_task: asyncio.Task[None] | None = None
        self.should_poll_again = True

    async def get_snapshot(self, key: StreamKey) -> Update | None:
        """The whole block; pages that ask while it is rendered share it, as all do after a restart."""
        if key not in self.pending_snapshots:
            self.pending_snapshots[key] = asyncio.create_task(database_sync_to_async(render_snapshot)(*key))
            self.pending_snapshots[key].add_done_callback(lambda _made: self.pending_snapshots.pop(key))
        return await asyncio.shield(self.pending_snapshots[key])

    def subscribe(self, key: StreamKey, cursor: int) -> asyncio.Queue[Update]:
        """A queue of the updates after event `cursor`."""
        page: asyncio.Queue[Update] = asyncio.Queue(MAX_PENDING_UPDATES)
        self.subscribers.setdefault(key, set()).add(page)
        reached = self.cursors.setdefault(key, cursor)
        if reached > cursor:  # behind the other pages: this gap makes it take a snapshot
            page.put_nowait(Update(reached, reached, "", is_last=False))
        self.should_poll_again = True  # for events since the page's snapshot
        if self.poll_task is None or self.poll_task.done():
            self.poll_task = asyncio.create_task(self.poll_loop())
        return page

    def unsubscribe(self, key: StreamKey, page: asyncio.Queue[Update]) -> None:
        """Forgets the page; without pages the poller ends."""
        pages = self.subscribers.get(key, set())
        pages.discard(page)
        if not pages:
            self.subscribers.pop(key, None)
            self.cursors.pop(key, None)
            self.sent_at.pop(key, None)

    def admit_socket(self, user_id: int) -> bool:
        """Counts a socket of this user; False when there are too many already."""
        if self.socket_counts[user_id] >= settings.SOCKETS_PER_USER:
            return False
        self.socket_counts[user_id] += 1
        return True

    def release_socket(self, user_id: int) -> None:
        """Forgets a socket of this user."""
        self.socket_counts[user_id] -= 1
        self.socket_counts += Counter()  # drops users at zero

    async def poll_loop(self) -> None:
        watch = ChangeDetector()
        try:
            while self.subscribers:
                if watch.has_changed() or self.should_poll_again:
                    self.should_poll_again = False
                    self.should_poll_again |= await self.poll_once()
                await asyncio.sleep(watch.poll_interval)
        finally:
            watch.close()

    async def poll_once(self) -> bool:
        """Sends the updates that are due; True if there may be more to send."""
        now = time.monotonic()
        due = {
            key: at
            for key, at in self.cursors.items()
            if now - self.sent_at.get(key, 0.0) >= MIN_UPDATE_SECONDS
        }
        some_wait = len(due) < len(self.cursors)
        try:
            updates = await database_sync_to_async(render_updates)(due) if due else {}
        except DatabaseError:
            logger.warning("Database not available; live progress is waiting for it.")
            return True
        return self.fan_out_updates(updates) or some_wait

    def fan_out_updates(self, updates: dict[StreamKey, Update]) -> bool:
        """Puts each update into the queues of its pages; False if there was none."""
        for key, update in updates.items():
            if key in self.cursors:
                self.cursors[key], self.sent_at[key] = update.end_seq, time.monotonic()
            for page in self.subscribers.get(key, ()):
                if page.full():  # a slow page: the gap makes it take a snapshot
                    page.get_nowait()
                page.put_nowait(update)
        return bool(updates)


_live_updates: dict[asyncio.AbstractEventLoop, LiveUpdates] = {}


def get_live_updates() -> LiveUpdates:
    """The poller of the running event loop; a web process has one loop."""
    return _live_updates.setdefault(asyncio.get_running_loop(), LiveUpdates())
