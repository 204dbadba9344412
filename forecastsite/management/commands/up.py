"""manage.py up: runs web server and workers on this host, or some of them, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecastsite.cleanup import disk_reserve
from forecastsite.env import read_env
from forecastsite.installation import WrongKey, check_key, describe_host_risks
from forecastsite.server.health import is_port_free, local_address
from forecastsite.server.host_status import ROLES
from forecastsite.server.supervisor import HostOptions, Supervisor
from registry.lib.cli import build_int_type
from registry.lib.locks import LockUnavailable, file_lock, wait_for_lock

ADMIN_NAME = "admin"
FIRST_START_SECONDS = 600.0  # that another host may take for the sample data


class Command(BaseCommand):
    help = "Runs web server and workers on this host; the first start also sets up the installation."

    def add_arguments(self, parser: CommandParser) -> None:
        port, workers = settings.PORT, settings.TRAINING_WORKERS
        parser.add_argument("--port", type=build_int_type(65535), default=port, help=f"default {port}")
        parser.add_argument("--workers", type=build_int_type(64), default=workers, help="trainings at a time")
        parser.add_argument(
            "--only",
            action="extend",
            nargs="+",
            choices=ROLES,
            metavar="ROLE",
            help="run only these parts on this host: web, light (short jobs), training",
        )
        parser.add_argument(
            "--drain", action="store_true", help="when stopped, wait until running trainings have ended"
        )
        parser.add_argument(
            "--new-key", action="store_true", help="accept a SECRET_KEY that was changed on all hosts"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.port, chosen = options["port"], options["only"] or ROLES
        self.roles = tuple(role for role in ROLES if role in chosen)
        if "web" in self.roles and not is_port_free(self.port):
            raise CommandError(
                f"Port {self.port} is in use: stop its program, or choose another port with PORT=8001."
            )
        with lock_data_folder():
            self.set_up(options["new_key"])
            told = HostOptions(self.port, options["workers"], self.roles, options["drain"])
            Supervisor(told, self.write_status).run_until_stopped(self.announce_ready)

    def set_up(self, accept_new_key: bool) -> None:
        """Sets up the data folder and the database; raises CommandError when this host may not start."""
        close_data_folder()
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        disk_reserve.fill_reserve()
        call_command("migrate", verbosity=0, interactive=False)
        try:
            check_key(accept_new_key)
        except WrongKey as error:
            raise CommandError(str(error)) from None
        self.admin_password = read_env("ADMIN_PASSWORD")
        os.environ.pop("ADMIN_PASSWORD", None)  # not for the child processes
        for sentence in describe_host_risks():
            self.write_status(sentence)
        if "web" in self.roles and not User.objects.exists():
            check_admin_password(self.admin_password)
            with self.lock_first_start():
                self.write_status("first start: importing the sample data")
                subprocess.run(
                    [sys.executable, str(settings.BASE_DIR / "manage.py"), "first_run"], check=True
                )

    @contextmanager
    def lock_first_start(self) -> Iterator[None]:
        """Lets one host at a time fill an empty installation; the others wait, then find it filled."""
        told = partial(self.write_status, "another host sets up the installation; waiting for it")
        try:
            with wait_for_lock("first-start", FIRST_START_SECONDS, told):
                yield
        except LockUnavailable:
            raise CommandError("Another host has been setting up for ten minutes: look at its log.") from None

    def write_status(self, line: str) -> None:
        """Prints a status line."""
        self.write_text(f"[up] {line}")

    def write_text(self, text: str) -> None:
        """Prints a text; a closed pipe (`make run | head`) must not stop the site."""
        with suppress(BrokenPipeError):
            self.stdout.write(text)
            self.stdout.flush()

    def announce_ready(self) -> None:
        """Prints the ready line that people and scripts wait for, on the first start with the credentials."""
        if "web" not in self.roles:
            self.write_text(f"Ready: {', '.join(self.roles)}")
            return
        credentials = ""
        if not User.objects.exists():
            with self.lock_first_start():
                credentials = (
                    "" if User.objects.exists() else create_administrator(self.admin_password) + "\n"
                )
        self.write_text(f"{credentials}Ready: http://{local_address()}:{self.port}")


@contextmanager
def lock_data_folder() -> Iterator[None]:
    """Locks the data folder, because two supervisors would start everything twice."""
    try:
        with file_lock(settings.DATA_DIR / "up.lock"):
            yield
    except LockUnavailable:
        message = f"{settings.DATA_DIR} is in use by another `up`: stop it, or choose another DATA_DIR."
        raise CommandError(message) from None


def close_data_folder() -> None:
    """Shuts other accounts of the machine out of a data folder that an older release left open."""
    for path in [settings.DATA_DIR, *settings.DATA_DIR.glob("db.sqlite3*")]:
        with suppress(OSError):  # somebody else's folder
            path.chmod(path.stat().st_mode & 0o700)


def check_admin_password(password: str) -> None:
    """Raises CommandError with the reason if the first administrator may not have this password."""
    try:
        if password:
            validate_password(password, User(username=ADMIN_NAME))
    except ValidationError as error:
        reasons = " ".join(error.messages)
        raise CommandError(f"ADMIN_PASSWORD is refused, choose another one: {reasons}") from None


def create_administrator(given: str = "") -> str:
    """Creates the first administrator; returns a sentence with the password, which is stored nowhere else."""
    password = given or secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN_NAME, password=password)
    if given:
        return f"Sign in as {ADMIN_NAME} with the password from ADMIN_PASSWORD."
    return (
        f"Sign in as {ADMIN_NAME} with the password {password} (shown only once; change it after signing in)."
    )
