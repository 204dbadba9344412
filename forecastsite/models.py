"""Imports every model of the app, so that Django finds them."""

from __future__ import annotations

from forecastsite.cleanup.models import CleanUp, Nightly

__all__ = ["CleanUp", "Nightly"]
