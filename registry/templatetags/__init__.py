"""Template tags of the pages and of the admin."""

from __future__ import annotations
