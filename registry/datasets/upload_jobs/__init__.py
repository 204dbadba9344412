"""Checks of large uploads, and their saving, as jobs of the light queue."""

from __future__ import annotations
