"""Sales taken apart by bucket of series, so that memory holds one of them."""

from __future__ import annotations
