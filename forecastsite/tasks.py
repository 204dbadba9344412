"""Jobs of the light queue that belong to no app."""

from __future__ import annotations


def probe() -> None:
    """Does nothing: that it was taken and done is the news the supervisor waits for."""
