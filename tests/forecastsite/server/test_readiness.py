"""What /readyz says of database, migrations, file store and queues."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from forecastsite.server import health, readiness
from forecastsite.server.beats import QUEUES, QueueBeat, record_beat
from forecastsite.server.host_status import HostStatus, StatusFile
from forecastsite.server.readiness import Look
from forecastsite.tasks import probe
from registry.storage.artifacts import get_artifact_store


@pytest.fixture
def beats(db) -> None:
    for queue in QUEUES:
        record_beat(queue)


def test_where_all_is_well_there_is_nothing_to_say(beats):
    parts = dict.fromkeys(("database", "migrations", "light queue", "training queue", "store"), "")
    assert Look().find_parts() == parts
    assert get_artifact_store().listdir("probes") == ([], [])


def test_the_probe_job_is_a_sign_of_life(db):
    assert Look().find_parts()["light queue"].startswith("No host has served the light queue yet")
    probe()
    assert not Look().find_parts()["light queue"]


def test_a_queue_that_was_silent_for_a_minute_is_named(beats):
    QueueBeat.objects.filter(pk="training").update(at=timezone.now() - timedelta(seconds=90))
    found = Look().find_parts()
    assert found["training queue"] == (
        "The training queue gave no sign of life for 90 seconds: no host serves it, or it hangs."
    )
    assert not found["light queue"]


def test_a_store_that_cannot_be_written_is_named_and_asked_again_later(beats, settings, tmp_path):
    (tmp_path / "file").write_text("no folder")
    backend = {
        "BACKEND": "registry.lib.durable_storage.DurableStorage",
        "OPTIONS": {"location": tmp_path / "file"},
    }
    whole = settings.STORAGES
    settings.STORAGES = {**whole, "artifacts": backend}
    look = Look()
    assert look.find_parts()["store"].startswith("The file store cannot be written and read: ")
    settings.STORAGES = whole
    assert look.find_parts()["store"]
    look.store = (float("-inf"), "")
    assert not look.find_parts()["store"]
    assert storages["artifacts"]


def test_a_migration_that_has_not_run_is_counted(beats, settings):
    settings.MIGRATION_MODULES = {}  # as in the product; tests have none
    loader = MigrationExecutor(connection).loader
    for app, name in loader.graph.nodes:
        MigrationRecorder(connection).record_applied(app, name)
    assert not Look().find_parts()["migrations"]
    MigrationRecorder(connection).record_unapplied(*loader.graph.leaf_nodes("forecastsite")[0])
    sentence = Look().find_parts()["migrations"]
    assert "lacks" in sentence and "manage.py migrate" in sentence


def test_a_database_that_does_not_answer_is_named_and_asked_no_further(beats, monkeypatch):
    def refuse(*words):
        raise OperationalError("connection refused\nIs the server running?")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", refuse)
        found = Look().find_parts()
    assert found == {"database": "The database does not answer: connection refused", "store": ""}


async def ask(application) -> tuple[int, dict]:
    """Status and JSON of the address."""
    sent = []

    async def send(message):
        sent.append(message)

    await application({"type": "http", "path": "/readyz"}, None, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.django_db(transaction=True)
async def test_the_address_joins_this_host_and_the_whole(settings, monkeypatch):
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0.0)
    application = health.answer_health_checks(None)
    status, found = await ask(application)
    assert status == 503 and "manage.py up` does not run" in found["problems"][0]
    StatusFile(settings.DATA_DIR).show(HostStatus({"web": "ready"}))
    status, found = await ask(application)
    assert (status, found["roles"]) == (503, {"web": "ready"})
    assert found["parts"]["database"] == "ok" and "light queue" in found["problems"][0]
    for queue in QUEUES:
        await QueueBeat.objects.acreate(queue=queue, at=timezone.now())
    status, found = await ask(application)
    assert (status, found["ready"], found["problems"]) == (200, True, [])


async def test_a_check_that_hangs_is_said_and_not_begun_again(monkeypatch):
    asked, go_on = [], threading.Event()

    def hang(look):
        asked.append(look)
        go_on.wait(10)
        return {}

    monkeypatch.setattr(readiness, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(Look, "find_in_thread", hang)
    application = health.answer_health_checks(None)
    for _time in range(2):
        status, found = await ask(application)
        assert status == 503 and "have not ended" in found["problems"][-1]
    go_on.set()
    assert len(asked) == 1
