"""What every log line of a piece of work names: its request, its job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039  never changed


@contextmanager
def name_in_logs(**names: str) -> Iterator[None]:
    """Log lines inside name these, such as `request="4f1a"` or `job="9c0d"`."""
    token = log_context.set({**log_context.get(), **names})
    try:
        yield
    finally:
        log_context.reset(token)


def name_from_now_on(**names: str) -> None:
    """The same until the next call: for a process, or a worker that does one job after the other."""
    log_context.set({**log_context.get(), **names})
