"""Hosts of one installation: the same key, their own files, and nobody else's eyes on them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
from django.conf import settings as site_settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from forecastsite import installation
from forecastsite.env import load_secret_key
from forecastsite.installation import Installation, WrongKey, check_key, describe_host_risks
from forecastsite.management.commands.up import check_admin_password, close_data_folder


@pytest.fixture
def shared_database(monkeypatch):
    """The database behaves as one that several hosts use."""

    class Connection:
        vendor = "postgresql"

    monkeypatch.setattr(installation, "connection", Connection)


def test_a_host_with_another_key_is_refused_with_the_sentence_that_mends_it(db, shared_database, settings):
    check_key()
    check_key()
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    with pytest.raises(WrongKey, match="Set the same SECRET_KEY on every host"):
        check_key()
    check_key(accept_new=True)
    check_key()
    assert Installation.objects.count() == 1
    assert settings.SECRET_KEY not in Installation.objects.get().key_fingerprint


def test_a_single_host_may_change_its_key(db, settings):
    check_key()
    settings.SECRET_KEY = "another key of more than thirty-two characters"
    check_key()


def test_a_shared_database_needs_an_explicit_key(tmp_path, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="set SECRET_KEY to the same value on every host"):
        load_secret_key(tmp_path, has_own_database=False)
    assert not list(tmp_path.iterdir())
    made = load_secret_key(tmp_path, has_own_database=True)
    with pytest.raises(ImproperlyConfigured, match=r"this host's is in .*secret_key"):
        load_secret_key(tmp_path, has_own_database=False)
    monkeypatch.setenv("SECRET_KEY", made)
    assert load_secret_key(tmp_path, has_own_database=False) == made


@pytest.mark.parametrize("password", ["x", "admin", "password123", "1234567890"])
def test_a_weak_administrator_password_is_refused_with_the_reason(password):
    with pytest.raises(CommandError, match=r"ADMIN_PASSWORD is refused, choose another one: \w+"):
        check_admin_password(password)


def test_a_good_administrator_password_or_none_is_accepted():
    check_admin_password("")
    check_admin_password("correct horse battery")


def test_a_data_folder_that_was_left_open_is_closed(tmp_path, settings):
    settings.DATA_DIR = tmp_path
    (tmp_path / "db.sqlite3").write_text("")
    for path, mode in ((tmp_path, 0o755), (tmp_path / "db.sqlite3", 0o644)):
        path.chmod(mode)
    close_data_folder()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path, tmp_path / "db.sqlite3")] == [
        0o700,
        0o600,
    ]


def run(tmp_path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "DATA_DIR": str(tmp_path / "var"), "DATABASE_URL": "", **environment}
    command = [sys.executable, "manage.py", *words]
    return subprocess.run(command, cwd=site_settings.BASE_DIR, env=env, capture_output=True, text=True)


@pytest.mark.processes
def test_a_new_installation_is_readable_only_for_its_owner(tmp_path):
    assert run(tmp_path, "migrate", "-v0").returncode == 0
    made = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    assert len(made) > 2
    assert not [path for path in made if path.stat().st_mode & 0o077]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (["up"], {"ADMIN_PASSWORD": "x", "PORT": "8765"}, "ADMIN_PASSWORD is refused"),
        (
            ["check"],
            {"DATABASE_URL": "postgres://app@127.0.0.1:1/x", "SECRET_KEY": ""},
            "set SECRET_KEY to the same value on every host",
        ),
    ],
)
def test_a_start_that_is_refused_ends_with_one_sentence(tmp_path, words, environment, sentence):
    done = run(tmp_path, *words, **environment)
    assert done.returncode != 0
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_https_without_trusted_proxies_is_pointed_out(settings):
    settings.HTTPS, settings.TRUSTED_PROXIES = True, 0
    assert "Set TRUSTED_PROXIES=1" in describe_host_risks()[0]
    settings.TRUSTED_PROXIES = 1
    assert describe_host_risks() == []
