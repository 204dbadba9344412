"""Forecast runs: every series of a version, forecast once and frozen."""

from __future__ import annotations
