#!/usr/bin/env python
"""Command line of forecastsite: `python manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # Threads that wait must sleep: on shared cores spinning ones make learning several times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forecastsite.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a setting with a wrong value
        if "--traceback" in sys.argv:
            raise
        sys.exit(str(error))
