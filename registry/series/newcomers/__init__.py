"""Series that hardly sold so far: what announces them, their like, and the past that these lend them."""

from __future__ import annotations

KNOWN_DAYS = 14  # recorded days from which on a series is forecast from its own past
