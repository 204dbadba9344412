"""Orders: a forecast run, stock and terms become a line for each product in each store."""

from __future__ import annotations
