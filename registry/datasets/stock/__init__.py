"""Stock and terms of a dataset: what stands in the stores, and how its products are ordered."""

from __future__ import annotations
