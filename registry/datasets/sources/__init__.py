"""Sources: places where files of sales, stock and terms arrive by themselves; each file is taken once."""

from __future__ import annotations
