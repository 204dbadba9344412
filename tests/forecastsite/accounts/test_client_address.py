"""Behind a proxy: one visitor's wrong passwords lock nobody else out, and nobody poses as another."""

from __future__ import annotations

import pytest

from forecastsite.accounts.client_address import find_client_address
from tests.fixtures.people import PASSWORD

pytestmark = pytest.mark.django_db
VISITOR, OWNER = "203.0.113.7", "198.51.100.9"


def sign_in(browser, password: str, forwarded: str) -> int:
    fields = {"username": "ana", "password": password}
    return browser.post("/login/", fields, headers={"X-Forwarded-For": forwarded}).status_code


def test_wrong_passwords_behind_a_proxy_lock_only_the_address_they_came_from(anonymous, user, settings):
    settings.TRUSTED_PROXIES = 1
    for _ in range(6):
        status = sign_in(anonymous, "wrong", VISITOR)
    assert status == 429
    assert sign_in(anonymous, PASSWORD, VISITOR) == 429
    assert sign_in(anonymous, PASSWORD, OWNER) == 302


def test_a_visitor_cannot_write_an_address_of_its_own(anonymous, user, settings):
    settings.TRUSTED_PROXIES = 1
    statuses = [sign_in(anonymous, "wrong", f"10.1.1.{number}, {VISITOR}") for number in range(6)]
    assert statuses[-1] == 429


def test_without_a_trusted_proxy_the_header_counts_for_nothing(anonymous, user):
    statuses = [sign_in(anonymous, "wrong", f"10.1.1.{number}") for number in range(6)]
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    "entry", ["", "unknown", "<script>", "1.2.3", "a" * 9000, "127.0.0.1; drop", ",", "_x"]
)
def test_an_entry_that_is_no_address_is_ignored(entry):
    assert find_client_address(entry, 1) == ""
