"""How sales are divided into parts: by hash bucket of their series and by span of days. Pure: no Django.

>>> layout = choose_layout(series=30_490, products=3_049, days=447)
>>> layout
Layout(buckets=8, span_days=16, key='product')
>>> layout.find_bucket("S001", "P001") == layout.find_bucket("S002", "P001")
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

SERIES_PER_BUCKET = 4096  # a bucket of three years is read into 20 MB per column
ROWS_PER_PART = 1 << 16  # at least: smaller files cost more to open than to read
SPANS = 32  # at least: a day added rewrites one of them
PRODUCTS_PER_BUCKET = 32  # at least: with fewer, buckets of whole products would differ too much in size
MAX_GROWTH = 4  # a dataset that grew by more than this gets a new layout
MAX_SPAN = 1 << 15  # days
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Layout:
    """Number of buckets, days of a span, and what decides the bucket: the product, or store and product.

    A bucket of whole products lets a product be read from one bucket.
    """

    buckets: int
    span_days: int
    key: Literal["product", "series"]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def find_bucket(self, store: str, product: str) -> int:
        """The bucket of one series."""
        return int(self.find_buckets(hash_codes([store]), hash_codes([product]))[0])

    def find_buckets(
        self, stores: npt.NDArray[np.uint64], products: npt.NDArray[np.uint64]
    ) -> npt.NDArray[np.int32]:
        """[N] buckets of series, from the hashes of their stores and products."""
        hashes = products if self.key == "product" else (stores * MIX) ^ products
        return ((hashes * MIX) >> np.uint64(32)).astype(np.int64).astype(np.int32) % np.int32(self.buckets)

    def find_span(self, day: Any) -> Any:
        """The span of a day, or [N] of days; days are counted from 1970-01-01."""
        return day // self.span_days


def hash_codes(codes: Sequence[str]) -> npt.NDArray[np.uint64]:
    """[N] hashes of codes, the same in every process and release."""
    found = [hashlib.blake2b(code.encode(), digest_size=8).digest() for code in codes]
    return np.frombuffer(b"".join(found), "<u8")


def choose_layout(series: int, products: int, days: int, base: Layout | None = None) -> Layout:
    """The layout for so many series, products and days.

    That of the version before stays, so that parts can be shared, until the number of series has outgrown it.
    """
    buckets = 1 << max(0, (series - 1) // SERIES_PER_BUCKET).bit_length()
    if base is not None and buckets <= base.buckets * MAX_GROWTH:
        return base
    per_day = max(1, series // buckets)
    span = max(floor_power(ROWS_PER_PART // per_day), floor_power(days // SPANS))
    key: Literal["product", "series"] = "product" if products >= PRODUCTS_PER_BUCKET * buckets else "series"
    return Layout(buckets, min(span, MAX_SPAN), "series" if buckets == 1 else key)


def floor_power(number: int) -> int:
    """The largest power of two up to a number.

    >>> floor_power(17), floor_power(0)
    (16, 1)
    """
    return 1 << max(0, number.bit_length() - 1)
