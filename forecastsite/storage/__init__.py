"""How much disk the files of each kind take, how that grew, and when the disk will be full."""

from __future__ import annotations
