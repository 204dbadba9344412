"""Imports the admin of the site's rooms, so that it registers."""

from __future__ import annotations

from forecastsite.accounts import admin as accounts
from forecastsite.cleanup import admin as cleanup

__all__ = ["accounts", "cleanup"]
