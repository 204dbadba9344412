"""Every refusal is a sentence in the site's layout and the reader's language."""

from __future__ import annotations

import uuid

import pytest
from django.db import OperationalError
from django.urls import reverse

from forecastsite.overview import overview_context
from forecastsite.server.body_limit import REFUSED_HEADER, UPLOAD_PATHS
from registry.lib import refusals

LOCKED, FULL = "database is locked", "database or disk is full"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def quiet_page(page):
    """A browser that shows error pages, as people see them."""
    page.raise_request_exception = False
    return page


def assert_is_page(response, read, status: int, words: str) -> None:
    text = read(response)
    assert response.status_code == status and words in text, (response.status_code, text[:300])
    assert b'class="top"' in response.content and b"site.css" in response.content


def test_too_many_fields_get_a_sentence(quiet_page, read):
    posted = {f"field{number}": "1" for number in range(2_000)}
    assert_is_page(quiet_page.post("/train/", posted), read, 400, "too many fields")
    address = "/models/?" + "&".join(f"a{number}=" for number in range(1_100))
    assert_is_page(quiet_page.get(address), read, 400, "too many fields")


def test_a_field_that_is_too_large_gets_a_sentence(quiet_page, read):
    response = quiet_page.post("/train/", {"store": "x" * 3_000_000})
    assert_is_page(response, read, 400, "The text in the form is too long")


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "idna", "base64", "nonsense", "x" * 500])
def test_a_form_in_another_charset_gets_a_sentence(quiet_page, read, charset):
    response = quiet_page.generic("POST", "/train/", b"a=b", f"{FORM}; charset={charset}")
    assert_is_page(response, read, 400, "could not understand this request")


@pytest.mark.parametrize("charset", ["UTF-8", "utf8", '"utf-8"', "us-ascii"])
def test_a_form_in_utf_8_is_read(quiet_page, charset):
    posted = quiet_page.generic("POST", "/language/", b"language=en", f"{FORM}; charset={charset}")
    assert posted.status_code in (204, 302)


def test_a_long_address_gets_a_sentence(quiet_page, read):
    ids = "&".join(f"with={uuid.uuid4()}" for _number in range(2_000))
    assert_is_page(quiet_page.get(f"/models/compare/?{ids}"), read, 414, "The address is too long")


def test_a_wrong_method_gets_a_sentence_and_the_right_methods(quiet_page, read):
    response = quiet_page.post("/models/")
    assert_is_page(response, read, 405, "can't be used in this way")
    assert "GET" in response["Allow"]


def test_a_large_body_at_a_form_gets_a_sentence(quiet_page, read):
    response = quiet_page.post("/train/", headers={REFUSED_HEADER: "form"})
    assert_is_page(response, read, 413, "more than this page accepts")
    assert_is_page(quiet_page.post("/data/upload/", headers={REFUSED_HEADER: "file"}), read, 413, "50 MB")
    assert (reverse("upload").encode(), reverse("stock-upload").encode()) == UPLOAD_PATHS


def test_a_wrong_host_gets_a_sentence(quiet_page, read):
    assert_is_page(quiet_page.get("/", headers={"Host": "evil.example"}), read, 400, "could not understand")


@pytest.mark.parametrize(("text", "words"), [(LOCKED, "database is busy"), (FULL, "disk is full")])
def test_an_outage_of_the_database_is_told_as_one(quiet_page, read, monkeypatch, text, words):
    def fail(*arguments):
        raise OperationalError(text)

    monkeypatch.setattr("forecastsite.views.overview_context", fail)
    response = quiet_page.get("/")
    assert response.status_code == 503 and words in read(response) and int(response["Retry-After"]) > 0


def test_an_outage_outside_the_views_is_told_too(quiet_page, read, monkeypatch):
    def fail(*arguments):
        raise OperationalError(LOCKED)

    monkeypatch.setattr("django.contrib.auth.middleware.get_user", fail)
    response = quiet_page.get("/")
    assert response.status_code == 503 and "database is busy" in read(response)


def test_another_error_is_still_ours(quiet_page, read, monkeypatch):
    monkeypatch.setattr("forecastsite.views.overview_context", lambda *arguments: 1 / 0)
    response = quiet_page.get("/")
    assert response.status_code == 500 and "The error is ours" in read(response)
    assert overview_context


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OperationalError(LOCKED), "busy"),
        (OperationalError("database table is locked: auth_user"), "busy"),
        (OperationalError("connection to server at 10.0.0.1 failed: Connection refused"), "busy"),
        (OperationalError("could not extend file base/1: No space left on device"), "full"),
        (OSError(28, "No space left on device"), "full"),
        (OperationalError("no such table: nowhere"), ""),
        (FileNotFoundError("nowhere"), ""),
        (ValueError(LOCKED), ""),
    ],
)
def test_outages_are_told_from_faults(error, kind):
    assert refusals.classify_outage(error) == kind


def test_refusals_are_in_the_language_of_the_reader(quiet_page):
    quiet_page.cookies["django_language"] = "zh-hans"
    for response in (
        quiet_page.post("/models/"),
        quiet_page.get("/nowhere/"),
        quiet_page.get("/?a=" + "x" * 9_000),
    ):
        assert '<html lang="zh-hans">' in response.content.decode(), response.status_code
