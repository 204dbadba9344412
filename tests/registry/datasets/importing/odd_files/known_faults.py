"""Rows that are not right yet, and what happens instead; a mended row must leave."""

from __future__ import annotations

KNOWN_FAULTS: dict[str, str] = {
    # dates
    # lines
    # fill-down
    # totals
    # money
}
