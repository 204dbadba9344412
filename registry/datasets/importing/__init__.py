"""From a sales file in any format to canonical columns; nothing here imports the database."""

from __future__ import annotations
