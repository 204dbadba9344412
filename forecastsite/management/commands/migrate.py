"""manage.py migrate: Django's, but on one host at a time; the others wait and then find nothing to do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from registry.lib.locks import LockUnavailable, wait_for_lock

MAX_WAIT_SECONDS = 600.0
WAITING = "another host or process is migrating the database; waiting for it"
TOO_LONG = "Another host or process has been migrating the database for ten minutes: look at its log."


class Command(migrate.Command):
    """Holds a lock of the PostgreSQL database, or of the data folder."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with wait_for_lock("migrate", MAX_WAIT_SECONDS, lambda: self.stderr.write(WAITING)):
                super().handle(*args, **options)
        except LockUnavailable:
            raise CommandError(TOO_LONG) from None
