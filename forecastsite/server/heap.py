"""Makes the C library return memory that requests have used, which glibc keeps by default."""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any

# of malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD
MALLOC_OPTIONS = ((-8, 2), (-3, 256 << 10), (-1, 1 << 20))


MIN_MODULES = 50  # newly loaded before objects are exempted again


class LoadedObjects:
    """Leaves out of collections what modules hold for good: with torch, a full one takes 0.2 s of a page."""

    seen = exempted = 0  # modules

    def exempt(self) -> None:
        """Call it now and then: acts once no module has been loaded since the call before."""
        modules = len(sys.modules)
        if modules == self.seen and modules >= self.exempted + MIN_MODULES:
            gc.collect()
            gc.freeze()
            self.exempted = modules
        self.seen = modules


def find_function(name: str) -> Any:
    """A function of glibc; None with another C library."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None


def limit_heap() -> None:
    """Few arenas and low thresholds: each request has a thread, whose arena would keep its peak."""
    adjust = find_function("mallopt")
    if adjust is not None:
        for parameter, number in MALLOC_OPTIONS:
            adjust(parameter, number)


def trim_heap(collect: bool) -> None:
    """Returns free memory inside the heap, after a collection if asked; takes some milliseconds.

    Through its form, a request with its body may be part of a reference cycle. With torch in memory, Python's
    own full collection comes too late for that: it waits for a quarter more objects.
    """
    if collect:
        gc.collect()
    trim = find_function("malloc_trim")
    if trim is not None:
        trim(0)
