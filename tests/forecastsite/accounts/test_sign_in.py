"""Signing in under guessing and on a full disk; changing one's own password."""

from __future__ import annotations

import pytest
from axes.models import AccessFailureLog
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from forecastsite.accounts import sign_in, sign_in_limits
from registry.access.audit import AuditEntry
from tests.fixtures.people import PASSWORD

NEW = "another long one"


@pytest.fixture
def guesses(db):
    """Thirty wrong passwords from this address, each for another name."""
    for number in range(sign_in_limits.MAX_FAILURES):
        Client().post("/login/", {"username": f"name{number}", "password": "wrong"})
    assert AccessFailureLog.objects.count() == sign_in_limits.MAX_FAILURES


def test_many_names_from_one_address_have_to_wait(guesses, user, anonymous, read):
    response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 429 and "came from your network address" in read(response)


def test_a_browser_that_signed_in_before_does_not_wait(user, anonymous, request):
    anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    anonymous.post("/logout/")
    request.getfixturevalue("guesses")
    response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 302
    anonymous.post("/logout/")
    assert anonymous.post("/login/", {"username": "somebody", "password": PASSWORD}).status_code == 429


def test_a_forged_device_is_not_known(guesses, user, anonymous):
    anonymous.cookies[sign_in_limits.DEVICE_COOKIE] = f'["{user.username}"]:forged'
    response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 429


def test_another_address_may_still_sign_in(guesses, user):
    other = Client(REMOTE_ADDR="10.1.2.3")
    assert other.post("/login/", {"username": user.username, "password": PASSWORD}).status_code == 302


def test_too_many_password_checks_at_once_are_refused(user, anonymous, read, monkeypatch):
    monkeypatch.setattr(sign_in, "CHECK_WAIT_SECONDS", 0.01)
    for _check in range(sign_in_limits.CHECKS_AT_ONCE):
        sign_in_limits.password_checks.acquire()
    try:
        response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    finally:
        for _check in range(sign_in_limits.CHECKS_AT_ONCE):
            sign_in_limits.password_checks.release()
    assert response.status_code == 429 and "Many people are signing in" in read(response)


@pytest.mark.parametrize("name", ["x" * 9_000, "a\0b", "²", ""])
def test_a_name_that_no_account_can_have_is_refused_in_the_form(anonymous, user, name):
    response = anonymous.post("/login/", {"username": name, "password": PASSWORD})
    assert response.status_code == 200 and response.context["form"].errors
    assert not AccessFailureLog.objects.filter(username__startswith="xx").exists()


def test_the_reserve_lets_people_sign_in_on_a_full_disk(user, anonymous, monkeypatch):
    tries: list[str] = []

    def fail_once(request, person, *rest):
        tries.append(str(person))
        if len(tries) == 1:
            raise OperationalError("database or disk is full")

    monkeypatch.setattr("django.contrib.auth.views.auth_login", fail_once)
    response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 302 and len(tries) == 2


def test_a_disk_without_reserve_gets_a_sentence(user, anonymous, monkeypatch, read):
    def fail(*arguments):
        raise OperationalError("database or disk is full")

    monkeypatch.setattr("django.contrib.auth.views.auth_login", fail)
    response = anonymous.post("/login/", {"username": user.username, "password": PASSWORD})
    assert response.status_code == 503 and "disk is full" in read(response)


@pytest.mark.parametrize("role", [None, "Viewer", "Planner", "Operator"])
def test_everybody_can_change_their_own_password(browse, person, read, role):
    somebody = person("vic", *([role] if role else []))
    client = browse(somebody)
    assert 'href="/password/"' in client.get("/").content.decode()
    posted = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert "has been changed" in read(client.post("/password/", posted, follow=True))
    assert User.objects.get(username="vic").check_password(NEW)
    assert AuditEntry.objects.filter(who="vic", act="changed", why="password").exists()


def test_a_weak_or_wrong_password_is_refused(page, user):
    for old, new in ((PASSWORD, "short"), ("wrong", NEW), (PASSWORD, user.username)):
        posted = {"old_password": old, "new_password1": new, "new_password2": new}
        response = page.post("/password/", posted)
        assert response.status_code == 200 and response.context["form"].errors
