"""Template tags of the admin."""

from __future__ import annotations
