"""A small cache in the memory of a process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class SmallCache(Generic[Value]):
    """The most recently used values, by key.

    >>> recent = SmallCache(1)
    >>> recent.get("a", lambda: 1), recent.get("a", lambda: 2)
    (1, 1)
    >>> recent.get("b", lambda: 3), recent.get("a", lambda: 4)
    (3, 4)
    """

    def __init__(self, size: int) -> None:
        self.size, self.values, self.lock = size, OrderedDict[Hashable, Value](), Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
                return self.values[key]
        value = make()  # outside the lock: two threads may both make it, but none waits for another
        with self.lock:
            self.values[key] = value
            while len(self.values) > self.size:
                self.values.popitem(last=False)
        return value

    def clear(self) -> None:
        """Forgets every value."""
        with self.lock:
            self.values.clear()
