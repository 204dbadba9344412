"""Automation: plans that fetch, retrain, forecast and order by themselves. Pages call a plan a schedule."""

from __future__ import annotations
