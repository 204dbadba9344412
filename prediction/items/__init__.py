"""Every product and store with its forecast: the product list."""

from __future__ import annotations
