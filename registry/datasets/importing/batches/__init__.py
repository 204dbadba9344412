"""Files that are larger than memory: read in batches, spilled to disk by bucket of series."""

from __future__ import annotations
