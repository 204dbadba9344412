"""From a file of any till to canonical columns: readers, values, checks, roles."""

from __future__ import annotations
