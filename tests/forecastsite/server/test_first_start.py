"""Who sets up an empty installation when several hosts start, and where its web server listens."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError

from forecastsite.env import read_env_address
from forecastsite.management.commands import up
from forecastsite.server import health


@pytest.fixture
def filled(monkeypatch) -> list[str]:
    """The commands that were started in order to fill the installation."""
    started: list[str] = []
    monkeypatch.setattr(up.subprocess, "run", lambda words, check: started.append(words[-1]))
    return started


def command(*roles: str) -> up.Command:
    made = up.Command(stdout=StringIO())
    made.roles, made.port, made.admin_password = roles, 8000, ""
    return made


def test_only_a_host_with_the_web_server_fills_an_empty_installation(db, filled, monkeypatch):
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    command("light", "training").set_up(accept_new_key=False)
    assert filled == []
    command("web").set_up(accept_new_key=False)
    assert filled == ["first_run"]


def test_the_administrator_is_made_by_the_first_host_with_the_web_server(db):
    worker, first, second = command("light"), command("web"), command("web")
    worker.announce_ready()
    assert not User.objects.exists()
    first.announce_ready()
    second.announce_ready()
    said = [one.stdout.getvalue() for one in (worker, first, second)]
    assert said[0] == "Ready: light\n"
    assert "Sign in as admin" in said[1] and said[2] == "Ready: http://127.0.0.1:8000\n"


@pytest.mark.parametrize("words", [("--only", "mail"), ("--only",)])
def test_a_role_that_does_not_exist_is_refused(words):
    with pytest.raises(CommandError, match=r"invalid choice: 'mail'|expected at least one argument"):
        call_command("up", *words)


def test_the_web_server_listens_on_one_address_of_this_machine_or_on_all(monkeypatch, settings):
    monkeypatch.setenv("LISTEN_ADDRESS", "shop.example")
    with pytest.raises(ImproperlyConfigured, match=r"LISTEN_ADDRESS is 'shop.example': set it to an IPv4"):
        read_env_address("LISTEN_ADDRESS", "127.0.0.1")
    monkeypatch.setenv("LISTEN_ADDRESS", "0.0.0.0")
    settings.LISTEN_ADDRESS = read_env_address("LISTEN_ADDRESS", "127.0.0.1")
    assert health.local_address() == "127.0.0.1"
    settings.LISTEN_ADDRESS = "127.0.0.2"
    assert health.local_address() == "127.0.0.2"
    with health.socket.socket() as taken:
        taken.bind(("127.0.0.2", 0))
        taken.listen()
        assert not health.is_port_free(taken.getsockname()[1])
