"""Checks of rows and of whole series, and the log of what they find."""

from __future__ import annotations
