"""Settings for the public: Django's own list of them is kept, and sessions and headers say so."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys

import pytest
from django.conf import settings

OURS = {"HTTPS": "true", "ALLOWED_HOSTS": "shop.example", "DEBUG": "false"}


CHECK = """
import sys
from django.core.management import call_command
call_command("check", "--deploy", "--fail-level", "INFO")
print(*{"boto3", "torch", "lightgbm", "ninja"} & set(sys.modules))
"""


@pytest.mark.processes
def test_djangos_check_for_the_public_finds_nothing_and_loads_nothing_that_can_wait(tmp_path):
    words = [sys.executable, "manage.py", "shell", "-v0", "-c", CHECK]
    environment = {**os.environ, **OURS, "DATA_DIR": str(tmp_path), "SECRET_KEY": ""}
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "no issues (2 silenced)" in done.stdout + done.stderr, done.stderr
    assert done.stdout.splitlines()[-1] == ""


@pytest.mark.parametrize("address", ["/login/", "/"])
def test_pages_come_with_the_headers_that_keep_others_out(page, address):
    headers = page.get(address).headers
    assert headers["X-Frame-Options"] == "DENY" and headers["X-Content-Type-Options"] == "nosniff"
    assert (
        headers["Referrer-Policy"] == "same-origin" and headers["Cross-Origin-Opener-Policy"] == "same-origin"
    )
    assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(anonymous, user):
    answer = anonymous.post("/login/", {"username": "ana", "password": "a long enough one"})
    cookie = answer.cookies["sessionid"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


@pytest.mark.parametrize(
    ("environment", "header"),
    [
        ({}, "max-age=3600"),
        ({"HSTS_SECONDS": "0"}, "None"),
        ({"HSTS_SECONDS": "31536000", "HSTS_SUBDOMAINS": "true"}, "max-age=31536000; includeSubDomains"),
        ({"HSTS_SUBDOMAINS": "true", "HSTS_PRELOAD": "true"}, "max-age=3600; includeSubDomains; preload"),
        ({"HTTPS": "false", "HSTS_SECONDS": "31536000", "HSTS_PRELOAD": "true"}, "None"),
    ],
)
def test_browsers_are_held_to_https_no_longer_and_no_wider_than_chosen(
    tmp_path, monkeypatch, anonymous, settings, environment, header
):
    for name, value in {**OURS, "DATA_DIR": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    read = runpy.run_path(str(settings.BASE_DIR / "forecastsite" / "settings.py"))
    for name in ("ALLOWED_HOSTS", "HTTPS", *(name for name in read if name.startswith("SECURE_"))):
        setattr(settings, name, read[name])
    answer = anonymous.get("/login/", secure=True, headers={"host": "shop.example"})
    assert str(answer.headers.get("Strict-Transport-Security")) == header
