"""Argument types of management commands."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable


def build_int_type(top: int) -> Callable[[str], int]:
    """An argparse type: a whole number from 1 to top."""

    def parse_number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= top:
            raise ArgumentTypeError(f"{text!r} is not a whole number from 1 to {top}")
        return int(text)

    return parse_number
