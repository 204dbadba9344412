"""backup and restore: everything that rows point at is in it, and a copy that is not whole is refused."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from forecastsite import backup
from prediction.models import Forecast
from registry.lib.locks import exclusive_lock
from tests.helpers import small_files
from tests.helpers.installation import MANAGE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def copy(tmp_path) -> Path:
    return tmp_path / "copies" / "monday"


def test_a_backup_holds_the_database_and_every_file_that_it_points_at(copy, archive_folder):
    rows = small_files.fill()
    rows["old"][0].move_to_archive()
    manifest = backup.create_backup(copy)
    assert len([path for path in manifest["files"] if path.startswith("artifacts/")]) == 1 + 6 + 10
    for path, sha256 in manifest["files"].items():
        assert backup.hash_file(copy / path) == sha256
    with sqlite3.connect(copy / "db.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM prediction_forecast").fetchone() == (11,)
    assert (copy / "secret_key").stat().st_mode & 0o077 == 0 if (copy / "secret_key").exists() else True


def test_a_file_that_goes_while_the_backup_is_made_makes_it_look_again(copy, monkeypatch):
    rows, fetch, seen = small_files.fill(), backup.copy_and_verify, []

    def meanwhile(wanted, target):
        if not seen:
            rows["old"][0].remove()
        seen.append(wanted)
        return fetch(wanted, target)

    monkeypatch.setattr(backup, "copy_and_verify", meanwhile)
    manifest = backup.create_backup(copy)
    assert f"artifacts/{rows['old'][1].path}" in manifest["files"] and len(seen) > 17
    assert not [path for path in manifest["files"] if str(rows["old"][0].pk) in path]


def test_a_file_that_was_damaged_before_is_told_and_left_out(copy, artifact_folder):
    rows = small_files.fill()
    (artifact_folder / rows["old"][0].path).write_bytes(b"rubbish")
    with pytest.raises(CommandError, match="damaged already"):
        call_command("backup", str(copy))
    assert json.loads((copy / "manifest.json").read_text())["problems"] == [rows["old"][0].path]


def test_a_missing_file_is_told_and_no_half_backup_stays(copy, artifact_folder):
    rows = small_files.fill()
    (artifact_folder / rows["old"][0].path).unlink()
    with pytest.raises(CommandError, match="reconcile_artifacts"):
        call_command("backup", str(copy))
    assert not copy.exists()


def test_an_earlier_backup_is_not_overwritten_and_a_clean_up_is_waited_for(copy):
    small_files.data()
    backup.create_backup(copy)
    with pytest.raises(CommandError, match="choose a new folder"):
        call_command("backup", str(copy))
    with exclusive_lock("cleanup"), pytest.raises(CommandError) as problem:
        call_command("backup", str(copy.with_name("tuesday")))
    assert problem.value.returncode == 4


@pytest.mark.processes
def test_restored_into_an_empty_folder_everything_is_there_and_whole(copy, tmp_path):
    small_files.fill()
    backup.create_backup(copy)
    env = {**os.environ, "DATA_DIR": str(tmp_path / "new")}
    run = {"env": env, "cwd": settings.BASE_DIR, "capture_output": True, "text": True}
    done = subprocess.run([*MANAGE, "restore", str(copy)], **run)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([*MANAGE, "reconcile_artifacts", "--json"], **run)
    assert done.returncode == 0 and json.loads(done.stdout)["items"] == [], done.stderr
    again = subprocess.run([*MANAGE, "restore", str(copy)], **run)
    assert again.returncode == 1 and "empty DATA_DIR" in again.stderr
    assert Forecast.objects.count() == 11


def test_a_backup_that_was_changed_is_refused(copy, tmp_path, monkeypatch):
    small_files.fill()
    backup.create_backup(copy)
    some = next((copy / "artifacts" / "models").iterdir())
    some.write_bytes(b"rubbish")
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", str(tmp_path / "no.sqlite3"))
    with pytest.raises(CommandError, match="was changed after the backup"):
        call_command("restore", str(copy))
    assert not (tmp_path / "no.sqlite3").exists()
    with pytest.raises(CommandError, match="not a complete backup"):
        call_command("restore", str(tmp_path))


def test_with_postgresql_it_says_what_to_use(copy, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    with pytest.raises(CommandError, match="pg_dump"):
        call_command("backup", str(copy))
