"""Whether the whole installation does its work: database, migrations, file store and queues.

A probe may ask as often as it likes: an answer is kept for some seconds, and one look at a time is under way.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from forecastsite.server.beats import MAX_AGE, read_beats
from forecastsite.server.host_status import read_status
from registry.storage.artifacts import get_artifact_store

KEPT_SECONDS = 5.0  # that an answer is given again
STORE_KEPT_SECONDS = 30.0  # between two files that are written and read
PATIENCE_SECONDS = 10.0  # for the whole look
PROBE_FOLDER = "probes"  # in the artifact store
NO_DATABASE = "The database does not answer: {problem}"
NOT_MIGRATED = "The database lacks {count} migrations: run `manage.py migrate`."
NO_STORE = "The file store cannot be written and read: {problem}"
NO_BEAT = "No host has served the {queue} queue yet: start `manage.py up --only {queue}`."
OLD_BEAT = "The {queue} queue gave no sign of life for {age:.0f} seconds: no host serves it, or it hangs."
TOO_SLOW = f"The checks have not ended within {PATIENCE_SECONDS:.0f} seconds."

logger = logging.getLogger(__name__)
Problems = dict[str, str]  # for each part one sentence, empty if all is well


@dataclass(frozen=True)
class Readiness:
    """What was found: a sentence for each part, empty where all is well."""

    parts: Problems

    @property
    def problems(self) -> list[str]:
        """What is wrong."""
        return [sentence for sentence in self.parts.values() if sentence]


class Look:
    """Looks at all parts; remembers what need not be done each time."""

    def __init__(self) -> None:
        self.is_migrated = False
        self.store: tuple[float, str] = (float("-inf"), "")

    def find_parts(self) -> Problems:
        """A sentence for each part; what the database would have to say is left out when it is silent."""
        parts: Problems = {}

        def ask_database() -> None:
            check_database()
            parts.update({"database": "", "migrations": self.check_migrations(), **check_queues()})

        problem = explain(ask_database, NO_DATABASE)
        found = {"database": problem} if problem else parts
        return found | {"store": self.check_store()}

    def check_migrations(self) -> str:
        """Whether this release's migrations have run; once they have, they stay."""
        if not self.is_migrated:
            executor = MigrationExecutor(connection)
            missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
            self.is_migrated = not missing
            return NOT_MIGRATED.format(count=missing) if missing else ""
        return ""

    def check_store(self) -> str:
        """Whether a file can be written and read, asked again when the last answer is old."""
        if time.monotonic() - self.store[0] > STORE_KEPT_SECONDS:
            self.store = (time.monotonic(), explain(write_and_read, NO_STORE))
        return self.store[1]

    def find_in_thread(self) -> Problems:
        """The same in a thread of its own, whose connections are closed."""
        try:
            return self.find_parts()
        finally:
            connections.close_all()


def explain(check: Callable[[], None], sentence: str) -> str:
    """An empty text if the check passes, else the sentence with the first line of the problem."""
    try:
        check()
    except Exception as problem:  # of whatever library is behind it
        logger.warning("%s", problem)
        return sentence.format(problem=(str(problem).strip() or type(problem).__name__).splitlines()[0])
    return ""


def check_database() -> None:
    """Asks the database for nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def write_and_read() -> None:
    """Writes a file into the store and reads it; raises whatever the store raises."""
    store = get_artifact_store()
    with probe_file() as (name, content):
        store.save(name, ContentFile(content))
        with store.open(name, "rb") as stream:
            if stream.read() != content:
                raise OSError("the file that was written reads differently")


@contextmanager
def probe_file() -> Iterator[tuple[str, bytes]]:
    """Name and content of a file that is deleted afterwards."""
    content = f"{socket.gethostname()} {uuid.uuid4()}".encode()
    name = f"{PROBE_FOLDER}/{uuid.uuid4()}"
    try:
        yield name, content
    finally:
        get_artifact_store().delete(name)


def check_queues() -> Problems:
    """Whether each queue gave a sign of life within a minute."""
    return {f"{queue} queue": describe_beat(queue, *beat) for queue, beat in read_beats().items()}


def describe_beat(queue: str, at: Any, is_recent: bool) -> str:
    """A sentence on a queue without a recent beat."""
    if is_recent:
        return ""
    if at is None:
        return NO_BEAT.format(queue=queue)
    age = max(MAX_AGE, timezone.now() - at)  # by this host's clock, which may differ from the database's
    return OLD_BEAT.format(queue=queue, age=age.total_seconds())


class ReadinessProbe:
    """Answers probes in the event loop of the web server."""

    def __init__(self) -> None:
        self.look = Look()
        self.task: asyncio.Task[Problems] | None = None
        self.found: tuple[float, Readiness] = (float("-inf"), Readiness({}))

    async def find(self) -> Readiness:
        """What the newest look found; never waits longer than PATIENCE_SECONDS."""
        if time.monotonic() - self.found[0] < KEPT_SECONDS:
            return self.found[1]
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(asyncio.to_thread(self.look.find_in_thread))
        try:
            parts = await asyncio.wait_for(asyncio.shield(self.task), PATIENCE_SECONDS)
        except TimeoutError:
            return Readiness({"checks": TOO_SLOW})
        self.found = (time.monotonic(), Readiness(parts))
        return self.found[1]

    async def answer(self) -> tuple[int, bytes, str]:
        """Status, type and text: this host as its supervisor sees it, and the parts of the installation."""
        host, found = read_status(settings.DATA_DIR), await self.find()
        is_ready = host.is_ready and not found.problems
        facts = host.to_json()
        facts |= {"ready": is_ready, "problems": [*facts["problems"], *found.problems]}
        facts["parts"] = {name: sentence or "ok" for name, sentence in found.parts.items()}
        return 200 if is_ready else 503, b"application/json", json.dumps(facts)
