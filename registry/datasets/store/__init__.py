"""The store of sales: parquet parts that versions of a dataset share."""

from __future__ import annotations
