"""Imports every admin module of the site, so that Django registers it."""

from __future__ import annotations

from forecastsite.accounts import admin as accounts
from forecastsite.api import admin as api
from forecastsite.automation import admin as automation
from forecastsite.cleanup import admin as cleanup
from forecastsite.verification import admin as verification

__all__ = ["accounts", "api", "automation", "cleanup", "verification"]
