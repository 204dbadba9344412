"""From rows of sales to the grid of a panel, and a scope in several of them."""

from __future__ import annotations
