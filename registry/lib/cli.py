"""Argument types of management commands."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def whole(top: int) -> Callable[[str], int]:
    """An argparse type: a whole number from 1 to top."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= top:
            raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {top}")
        return int(text)

    return read
