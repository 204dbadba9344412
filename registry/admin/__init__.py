"""Imports the admin of each room, so that it registers."""

from __future__ import annotations

from registry.admin import audit, datasets, model_versions

__all__ = ["audit", "datasets", "model_versions"]
