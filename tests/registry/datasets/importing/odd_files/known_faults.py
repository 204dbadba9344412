"""Rows that are not right yet, and why; a mended row must leave."""

from __future__ import annotations

KNOWN_FAULTS: dict[str, str] = {}
