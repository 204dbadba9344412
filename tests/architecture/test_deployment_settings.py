"""Settings for the public: Django's own list of them is kept, and sessions and headers say so."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

OURS = {"HTTPS": "true", "ALLOWED_HOSTS": "shop.example", "DEBUG": "false"}


def test_djangos_check_for_the_public_finds_nothing(tmp_path):
    words = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "INFO"]
    environment = {**os.environ, **OURS, "DATA_DIR": str(tmp_path), "SECRET_KEY": ""}
    done = subprocess.run(words, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and "no issues (0 silenced)" in done.stdout + done.stderr, done.stderr


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
