"""The nightly look at versions in use, files and backups: what it finds, and whom it tells."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import OrmQ

from forecastsite.storage.models import StorageSample
from forecastsite.verification import nightly
from forecastsite.verification.attention import installation_items
from forecastsite.verification.models import BackupNote, Verification, find_last_verification
from forecastsite.verification.nightly import ask_for_verification, run_verification
from registry.model_versions import golden
from registry.storage.artifacts import get_artifact_store


@pytest.fixture
def every_day(monkeypatch):
    """Every file is hashed each time."""
    monkeypatch.setattr(nightly, "HASH_DAYS", 1)


def verify() -> Verification:
    row = Verification.objects.create(day=timezone.localdate(), libraries=nightly.read_libraries())
    while not run_verification(row.pk):
        pass
    row.refresh_from_db()
    return row


def change_file(row) -> None:
    store = get_artifact_store()
    content = bytearray(store.open(row.path, "rb").read())
    content[-1] ^= 1
    store.delete(row.path)
    store.save(row.path, ContentFile(bytes(content)))


def test_nothing_is_found_where_all_is_well(version, make_run, every_day):
    make_run(version)
    row = verify()
    assert (row.versions, row.moved, row.damaged, row.problems) == (1, 0, 0, [])
    assert row.files >= 4 and row.finished_at and StorageSample.objects.filter(day=row.day).exists()


def test_a_changed_and_a_missing_file_are_found_and_told_to_operators(
    version, make_run, every_day, browse, person, read
):
    run = make_run(version)
    change_file(run)
    get_artifact_store().delete(version.path)
    row = verify()
    assert row.damaged >= 2 and {"changed", "missing"} <= {problem[2] for problem in row.problems}
    text = read(browse(person("otto", "Operator")).get("/"))
    assert "files are missing or changed" in text
    assert "missing or changed" not in read(browse(person("cora", "Curator")).get("/"))


def test_a_file_is_hashed_once_a_week():
    days = [timezone.localdate() + timedelta(days=day) for day in range(14)]
    hashed = [nightly.is_hash_day(12345, day) for day in days]
    assert hashed.count(True) == 2 and hashed[:7] == hashed[7:]


def test_a_version_that_computes_other_numbers_is_found(version, monkeypatch, admin):
    monkeypatch.setattr(golden, "TOLERANCE", -1.0)
    row = verify()
    assert (row.versions, row.moved) == (1, 1) and "golden forecast changed" in row.problems[0][2]
    items = installation_items(admin)
    assert [item.badge for item in items] == ["Model"] and "1 model version" in items[0].text
    assert str(row.pk) in items[0].link


def test_it_goes_on_where_a_killed_piece_was(version, make_run):
    for _run in range(3):
        make_run(version)
    row = Verification.objects.create(day=timezone.localdate())
    pieces = 1
    while not run_verification(row.pk, piece_seconds=0):
        pieces += 1
    whole = verify()
    row.refresh_from_db()
    assert pieces > 3 and (row.versions, row.files) == (whole.versions, whole.files)


# --- when --------------------------------------------------------------------------------------------
@pytest.fixture
def queued():
    return lambda: OrmQ.objects.count()


def test_it_is_asked_for_once_a_night_and_again_after_an_upgrade(db, queued, monkeypatch):
    for _time in range(2):
        ask_for_verification()
    assert queued() == 1
    Verification.objects.update(finished_at=timezone.now())
    ask_for_verification()
    assert queued() == 1
    monkeypatch.setattr(nightly, "read_libraries", lambda: {"torch": "99"})
    ask_for_verification()
    assert queued() == 2 and Verification.objects.first().libraries == {"torch": "99"}


def test_one_whose_worker_died_is_queued_again(db, queued):
    ask_for_verification()
    Verification.objects.update(touched_at=timezone.now() - timedelta(minutes=11))
    ask_for_verification()
    assert (queued(), Verification.objects.count()) == (2, 1)


# --- backups -----------------------------------------------------------------------------------------
def test_an_old_or_missing_backup_is_told_and_a_noted_one_is_not(admin, settings):
    assert installation_items(admin) == []  # the installation is new
    User.objects.update(date_joined=timezone.now() - timedelta(days=30))
    assert [item.text for item in installation_items(admin)] == ["No backup was made so far."]
    call_command("backup", note="pg_dump of tonight")
    assert installation_items(admin) == []
    BackupNote.objects.update(at=timezone.now() - timedelta(days=9))
    assert "9 days old" in installation_items(admin)[0].text
    settings.BACKUP_DAYS = 0
    assert installation_items(admin) == []


def test_the_command_says_what_has_changed(version, make_run, every_day, capsys):
    call_command("verify")
    assert "1 versions replayed, 0 changed" in capsys.readouterr().out
    change_file(make_run(version))
    with pytest.raises(CommandError, match="1 files have changed") as failed:
        call_command("verify", json=True)
    assert failed.value.returncode == 3 and find_last_verification().damaged == 1
