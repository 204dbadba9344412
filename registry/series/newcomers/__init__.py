"""Series that hardly sold so far: what announces them, their like, and the past that these lend them."""

from __future__ import annotations
