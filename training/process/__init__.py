"""The child process in which a training runs: its limits, and why it ended."""

from __future__ import annotations
