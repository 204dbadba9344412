"""Ends of jobs that others may want to hear of; told inside the transaction that ends them."""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

job_ended = Signal()  # with `job`, the row as it is now


def announce_end(job: Any) -> None:
    """Tells whoever listens; what they write commits together with the end."""
    job_ended.send(sender=type(job), job=job)
