"""Template tags about trainings."""

from __future__ import annotations
