"""Imports every admin module, so that Django registers it."""

from __future__ import annotations

from registry.admin import audit, datasets, model_versions, sources, stock

__all__ = ["audit", "datasets", "model_versions", "sources", "stock"]
