"""Hands on the models of the site's rooms, so that Django finds them."""

from __future__ import annotations

from forecastsite.cleanup.models import CleanUp, Nightly

__all__ = ["CleanUp", "Nightly"]
