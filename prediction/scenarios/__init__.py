"""Scenarios: plans that are tried on a forecast without touching the data."""

from __future__ import annotations
