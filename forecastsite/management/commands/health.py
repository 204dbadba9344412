"""manage.py health: how this host is; the exit code is for probes."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from forecastsite.server.host_status import report_status


class Command(BaseCommand):
    help = "Shows as JSON how this host and its roles are; exit code 1 when it is not healthy."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--ready", action="store_true", help="exit code 1 also when it is not ready")

    def handle(self, *args: Any, **options: Any) -> None:
        line, code = report_status(settings.DATA_DIR, options["ready"])
        self.stdout.write(line)
        sys.exit(code)
