"""Kills at random moments and looks at what is left: `python -m tests.faults.kill_loop WHAT KILLS SEED`.

Django is set up once, then every victim is a fork of it: a kill costs a tenth of a second. WHAT is publish,
clean (with ARCHIVE_STORE it archives), or drop: not the worker but the way to the archive at S3_PORT breaks.
One JSON object on stdout.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import django


def killed(work: Callable[[], None], seconds: float, wait: bool = False) -> bool:
    """Runs the work in a fork and kills it after so long; False = it was through before."""
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            work()
        except BaseException as problem:
            print(f"victim: {problem!r}", file=sys.stderr)
        os._exit(0)
    end = time.monotonic() + seconds
    while not wait and time.monotonic() < end:
        done, _status = os.waitpid(pid, os.WNOHANG)
        if done:
            return False
        time.sleep(0.002)
    if not wait:
        os.kill(pid, signal.SIGKILL)
    _pid, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def publish() -> None:
    """Publishes versions and forecasts and deletes some, until it is killed."""
    from django.db import transaction

    from prediction.models import Forecast
    from registry.datasets.models import DatasetVersion
    from registry.datasets.scope import Scope
    from registry.model_versions.models import ModelVersion
    from tests.helpers import small_files

    source, chance = DatasetVersion.objects.get(dataset__name="shop"), random.Random(os.getpid())
    while True:
        version = ModelVersion.objects.create_pending(source, Scope(), algorithm="kan", wape=chance.random())
        version.write(chance.randbytes(200_000))
        with transaction.atomic():
            version.publish()
        made = [small_files.forecast(version, days=0) for _number in range(3)]
        made[0].remove()
        victim = ModelVersion.objects.ready().order_by("?").first()
        if victim and ModelVersion.objects.ready().count() > 5:
            victim.delete_with_files()
        assert Forecast.objects.exists()


def clean() -> None:
    """One clean-up as the settings say: with ARCHIVE_STORE it archives, else it deletes."""
    from dataclasses import replace

    from forecastsite.cleanup.limits import Limits
    from forecastsite.cleanup.service import build_default_policy, run_cleanup, should_archive

    run_cleanup(replace(build_default_policy(), should_archive=should_archive("auto")), Limits(batch_size=5))


def torn() -> Counter[str]:
    """Rows that say ready without their whole file, here or in the archive."""
    from prediction.models import Forecast
    from registry.model_versions.models import ModelVersion
    from registry.storage import archive
    from registry.storage.artifacts import get_artifact_store

    bad: Counter[str] = Counter()
    for kind in (ModelVersion, Forecast):
        for row in kind.objects.filter(state="ready"):
            if row.is_archived:
                bad["archived without its copy"] += not archive.has_valid_copy(row.path, row.sha256)
            elif not get_artifact_store().exists(row.path):
                bad["ready without file"] += 1
            else:
                with get_artifact_store().open(row.path, "rb") as stream:
                    bad["torn"] += hashlib.sha256(stream.read()).hexdigest() != row.sha256
    return +bad


def stocked() -> dict[str, list]:
    """A fresh stock to clean up, beside what there is."""
    from tests.helpers import small_files

    source = small_files.data()
    versions = [small_files.version(source, days=100 - at) for at in range(6)]
    small_files.use(versions[0])
    versions[1].pin()
    old = [small_files.forecast(versions[at % 6], days=40 + at) for at in range(24)]
    new = [small_files.forecast(versions[4], days=2)]
    pinned = small_files.forecast(versions[5], days=90)
    pinned.pin()
    return {
        "protected": [versions[0], versions[1], *versions[3:], *new, pinned],
        "doomed": [versions[2], *old],
    }


def emptied() -> None:
    """The database and the files of the last round go."""
    from prediction.models import Forecast
    from registry.datasets.models import Dataset, DatasetVersion
    from registry.model_versions.models import ForecastModel, ModelVersion
    from registry.storage.tombstones import Tombstone

    for table in (Forecast, ModelVersion, ForecastModel, DatasetVersion, Dataset, Tombstone):
        table.objects.all().delete()


def lost(rows: dict[str, list], archived: bool) -> Counter[str]:
    """Protected rows that are not ready and whole any more, and doomed ones that left no trace."""
    from registry.storage.tombstones import Tombstone

    bad: Counter[str] = Counter()
    for row in rows["protected"]:
        found = type(row).objects.filter(pk=row.pk, state="ready").first()
        bad["protected lost"] += not found or found.is_archived
    for row in rows["doomed"]:
        there = type(row).objects.filter(pk=row.pk, state="ready").exists()
        bad["without a trace"] += not there and (archived or not Tombstone.objects.filter(pk=row.pk).exists())
    return +bad


def kill_publishers(kills: int, chance: random.Random) -> dict:
    from registry.model_versions.models import ModelVersion
    from registry.storage.tombstones import Tombstone
    from tests.helpers import small_files

    small_files.data()
    dead, bad = 0, Counter[str]()
    for number in range(kills):
        dead += killed(publish, chance.uniform(0.01, 0.5))
        if number % 10 == 9 or number == kills - 1:
            bad += torn()
    states = {
        state: ModelVersion.objects.filter(state=state).count() for state in ("ready", "pending", "deleting")
    }
    deleted = Tombstone.objects.count()
    return {"kills": dead, "bad": bad, **states, "deleted": deleted}


def kill_cleaners(kills: int, chance: random.Random) -> dict:
    """Each stock is cleaned by victims until one gets through; then nothing may be left to do."""

    def attempt(span: float) -> bool:
        return not killed(clean, chance.uniform(0, span))

    return rounds_of(kills, attempt)


def drop_the_archive(kills: int, chance: random.Random) -> dict:
    """The same, but the connection to the archive breaks while the clean-up is at work."""
    from forecastsite.cleanup.models import CleanUp
    from forecastsite.cleanup.service import NOT_STARTED_ERRORS

    wire = Wire(int(os.environ["S3_PORT"]), int(os.environ["WIRE_PORT"]))

    def attempt(span: float) -> bool:
        timer = threading.Timer(chance.uniform(0, span), wire.cut)
        timer.start()
        try:
            clean()
            through = CleanUp.objects.latest("pk").code == 0
        except NOT_STARTED_ERRORS:
            through = False
        timer.cancel()
        timer.join()
        wire.mend()
        return through

    return rounds_of(kills, attempt)


def rounds_of(kills: int, attempt: Callable[[float], bool]) -> dict:
    """Stocks, attempts until one is through, a last look; until so many were hit in the middle of their work.

    The time of the blow is drawn from as long as one of them takes here and now.
    """
    from forecastsite.cleanup.inventory import list_archived_leftovers
    from prediction.models import Forecast
    from registry.model_versions.models import ModelVersion

    archived, rounds, tries, bad = bool(os.environ.get("ARCHIVE_STORE")), 0, 0, Counter[str]()
    hits, span = 0, seconds_of_one()
    while hits < kills:
        assert tries < 30 * kills, "hardly any blow finds it at work"
        emptied()
        rows, rounds, through = stocked(), rounds + 1, False
        while not through and hits < kills:
            before, through = facts(), attempt(span)
            tries += 1
            span *= 0.95 if through else 1.01  # the machine may have become quicker, or slower
            hits += not through and before != facts()
            bad += torn() + lost(rows, archived)
        clean()
        before = facts()
        clean()
        bad["second run did something"] += before != facts()
        for kind in (ModelVersion, Forecast):
            bad["not finished"] += kind.objects.filter(state="deleting").count() + len(
                list_archived_leftovers(kind)
            )
        doomed = [row.pk for row in rows["doomed"]]
        stay = Forecast.objects.filter(pk__in=doomed, archived_at=None).count()
        bad["not cleaned"] += stay + ModelVersion.objects.filter(pk__in=doomed, archived_at=None).count()
        bad += torn() + lost(rows, archived)
    return {"kills": hits, "tries": tries, "rounds": rounds, "bad": +bad}


def seconds_of_one() -> float:
    """How long an unharmed clean-up takes in a fork."""
    stocked()
    begun = time.monotonic()
    killed(clean, 0, wait=True)
    return time.monotonic() - begun


def facts() -> list:
    """What a second run must not change."""
    from prediction.models import Forecast
    from registry.model_versions.models import ModelVersion
    from registry.storage.tombstones import Tombstone

    return [
        *Forecast.objects.order_by("pk").values_list("pk", "state", "archived_at"),
        *ModelVersion.objects.order_by("pk").values_list("pk", "state", "archived_at"),
        *Tombstone.objects.order_by("pk").values_list("pk"),
    ]


class Wire:
    """A way to a server that can be cut: what goes through is lost, and nobody gets in until it is mended."""

    def __init__(self, target: int, port: int) -> None:
        self.target, self.whole, self.ends = target, True, set()
        self.door = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.let_in, daemon=True).start()

    def let_in(self) -> None:
        while True:
            near, _address = self.door.accept()
            if not self.whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.target))
            self.ends |= {near, far}
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self.pass_on, args=pair, daemon=True).start()

    def pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            end.close()
            self.ends.discard(end)

    def cut(self) -> None:
        self.whole = False
        for end in list(self.ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.whole = True


WORK = {"publish": kill_publishers, "clean": kill_cleaners, "drop": drop_the_archive}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    django.setup()
    what, kills, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(WORK[what](kills, random.Random(seed))))
