"""`manage.py up`: everything that one machine needs, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecastsite.cleanup import disk_reserve
from forecastsite.env import read_env
from forecastsite.server.supervisor import Supervisor, is_port_free
from registry.lib.cli import build_int_type
from registry.lib.locks import LockUnavailable, file_lock

ADMIN_NAME = "admin"


class Command(BaseCommand):
    help = "Starts web server and workers on this machine; the first start also sets everything up."

    def add_arguments(self, parser: CommandParser) -> None:
        port, workers = settings.PORT, settings.TRAINING_WORKERS
        parser.add_argument("--port", type=build_int_type(65535), default=port, help=f"default {port}")
        parser.add_argument("--workers", type=build_int_type(64), default=workers, help="trainings at a time")
        parser.add_argument(
            "--drain", action="store_true", help="when told to stop, let the trainings in work end first"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.port = options["port"]
        if not is_port_free(self.port):
            raise CommandError(
                f"Port {self.port} is in use: stop what uses it, or choose another with PORT=8001."
            )
        with lock_data_folder():
            self.start_site(options["workers"], options["drain"])

    def start_site(self, workers: int, drain: bool) -> None:
        """From an empty folder to a running site; returns when it was told to stop."""
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        disk_reserve.fill_reserve()
        call_command("migrate", verbosity=0, interactive=False)
        if not User.objects.exists():
            self.write_status("first start: importing the sample")
            subprocess.run([sys.executable, str(settings.BASE_DIR / "manage.py"), "first_run"], check=True)
        Supervisor(self.port, workers, self.write_status, drain).run_until_stopped(self.announce_ready)

    def write_status(self, line: str) -> None:
        self.write_text(f"[up] {line}")

    def write_text(self, text: str) -> None:
        """A reader that went away (`make run | head`) is no reason to stop the site."""
        with suppress(BrokenPipeError):
            self.stdout.write(text)
            self.stdout.flush()

    def announce_ready(self) -> None:
        """The line that people and scripts wait for; the first time with the way in, in the same breath."""
        way_in = "" if User.objects.exists() else create_administrator() + "\n"
        self.write_text(f"{way_in}Ready: http://127.0.0.1:{self.port}")


@contextmanager
def lock_data_folder() -> Iterator[None]:
    """Two supervisors on one data folder would start everything twice. The lock ends with the process."""
    try:
        with file_lock(settings.DATA_DIR / "up.lock"):
            yield
    except LockUnavailable:
        message = f"{settings.DATA_DIR} is in use by another `up`: stop that one, or choose another DATA_DIR."
        raise CommandError(message) from None


def create_administrator() -> str:
    """Makes the first administrator; the sentence tells a random password, which is kept nowhere."""
    given = read_env("ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN_NAME, password=password)
    if given:
        return f"Sign in as {ADMIN_NAME} with the password of ADMIN_PASSWORD."
    return (
        f"Sign in as {ADMIN_NAME} with the password {password} (shown only now; change it after you sign in)."
    )
